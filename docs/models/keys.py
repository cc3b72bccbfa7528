#!/usr/bin/env python3
"""One API key whose server keeps our marker: minted, tried, delivered, verified, marked, renewed, reclaimed.

Two or three runs, interleaved at every request; a run may pause for ever between looking at the clock and sending.
A key may have several homes: sinks that are looked into and written one after the other, and it counts as delivered once all have it.
Read `Protocol` for the rules, `judge` for the decision table, `report` at the end for what is checked.
"""
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Optional

from explore import Row, report

OLD, STRANGER = -1, -2                    # minters of keys, besides the runs 0, 1, ...
ALIVE, CLOCK, PROVEN = "alive", "over by the clock", "over, proven"
NAMES = "ABCDEFGHIJ"


# ---- the world ---------------------------------------------------------------------------------------------------

class Key(NamedTuple):
    by: int                               # the run that minted it (our marker names it), or OLD, or STRANGER
    letter: str                           # of our marker: u, then d; '-' where there is no marker of ours
    home: int = 0                         # the sink it was minted for (the marker's hash covers address and sink)
    life: str = "live"                    # live, revoked (by a run of ours), dead (expired, or killed by a person)
    due: bool = False                     # within renew_before of its expiry
    landed: tuple = ()                    # the homes that it has been in at some time
    over: tuple = ()                      # the leftovers that its entry in the sink says it was delivered over
    replaced: tuple = ()                  # the keys that its entries say it replaced in one home of several, where somebody may use them
    number: int = 0                       # the first home's version before its POST: in the marker, where the server tells no age


class Place(NamedTuple):
    """One home, where the settings lead. The homes of place 1 are empty at first: a fresh machine is led there, or new settings lead
    everybody there."""
    key: Optional[int]
    version: int
    before: Optional[int] = None          # the key shown before the last put: what a stale read still shows


class Run(NamedTuple):
    at: str = "idle"                      # the next step
    life: str = "idle"                    # idle; on; ended (and said so in the ledger); silent (gone without a word)
    past: bool = False                    # the server's clock is past this run's start + max_run
    era: int = 0                          # the ledger it works with
    place: int = 0
    home: int = 0                         # the sink its settings name. On a fresh machine the same name leads to another place
    knows: tuple = ()                     # of each other run: ALIVE, CLOCK or PROVEN
    seen: tuple = ()                      # the key list as read: (key, letter)
    shown: tuple = ()                     # of each home: the key that its metadata names, as read
    version: tuple = ()                   # of each home: its version as read
    n: int = 0                            # the home that is looked into, put to or read back
    todo: tuple = ()
    over: tuple = ()                      # leftovers that its key is to be delivered over
    replaced: tuple = ()                  # leftovers that it is to replace in a home
    mine: Optional[int] = None            # the key whose secret this run holds
    again: bool = False                   # it has minted a second time
    loose: bool = False                   # a put of its own is unaccounted for
    vouch: Optional[int] = None           # the key whose delivery it will report
    verdict: str = ""


class World(NamedTuple):
    keys: tuple                           # in the order of their making
    places: tuple                         # place 0 home by home, then place 1
    runs: tuple
    late: tuple = ()                      # requests on their way that nobody waits for any more
    faults: int = 0                       # how many may still happen
    events: int = 0                       # likewise, for what people and strangers do
    era: int = 0
    moved: int = 0                        # 1: the settings now name another sink
    again: int = 0                        # further faults, which strike only where a leftover is revoked


@dataclass(frozen=True)
class Sink:
    versions: bool = True                 # put-if-version
    reads: bool = True                    # metadata and read-back
    writer: str = "network"               # network; child (a command's process); self (our own write): what can outlive the run?
    per_machine: bool = False             # another machine may have another sink under the same settings
    stale: bool = True                    # what it shows may be what it held before
    local: bool = False                   # read and written on this machine alone
    late: bool = False                    # it takes whatever arrives, so no leftover is ever revoked


VAULT = Sink()
FILE = Sink(versions=False, writer="self", per_machine=True, stale=False, local=True)
COMMAND = Sink(versions=False, writer="child", per_machine=True)
WRITE_ONLY = Sink(versions=False, reads=False)
BLIND_COMMAND = Sink(versions=False, reads=False, writer="child", per_machine=True)
SHARED_FILE = Sink(versions=False, writer="self")
SHARED_COMMAND = Sink(versions=False, writer="child")

VARIABLE = Sink(versions=False, late=True)                       # GitLab's variables, Azure's vaults: read back, and nothing is compared
ACCOUNT = Sink(versions=False, reads=False, late=True)           # StackOne's accounts, GitHub's secrets

DIRECTORY, SHARED = "directory", "object-store"


@dataclass(frozen=True)
class Scene:
    sink: Any = VAULT                     # or several: a key's homes, in the order of delivery
    ledger: str = SHARED
    start: str = "empty"                  # empty; delivered; due (delivered, and to be renewed); raced (see `Keys.start`)
    runs: int = 2
    faults: int = 1                       # over all runs together. A pause is no fault: it is free
    lag: bool = False                     # stale lists, and stale reads of network sinks (each is a fault)
    events: tuple = ()                    # one of these may happen: wipe, delete, fresh, moved, stranger, strip, dies, reinit
    marks: bool = True                    # False: the server never takes the letter d
    again: int = 0                        # how often more a revocation may fail, or a run die before it
    deaf: bool = False                    # the server refuses every revocation, for good
    shut: bool = False                    # the last home refuses every put, for good
    grows: bool = False                   # `moved` adds the other homes to the first, where keys were delivered until then


@dataclass(frozen=True)
class Protocol:
    """The defaults are the protocol as proposed. Every other value is a weakening."""
    marker: bool = True                   # nonce and letter in the key's description ...
    names_sink: bool = True               # ... and the sink that the key is for
    recover: bool = True                  # leftovers are looked for ...
    sweep: bool = True                    # ... also when the sink's key is good
    successor_first: bool = True          # a leftover is revoked only after another key was delivered over it
    clock_is_proof: bool = False          # "a run that is over by the clock writes no more"
    here_is_everywhere: bool = False      # "what this machine's sink does not show is in no machine's sink"
    liveness: bool = True                 # False: every other run is taken to be over
    runs_first: bool = True               # the runs are read before the list and the sink
    self_stop: bool = True                # a run past max_run stops at its next look at the clock
    version_at: str = "look"              # the sink's version is read before minting; "put": just before writing
    unknown_put: str = "leave"            # answer lost, not read back: leave the key u; "revoke" it; "trust" that it arrived
    verify: bool = True
    mark_first: bool = False              # d before the put
    missing: str = "refuse"               # live, d, nothing live in the sink: "refuse" or "reclaim"
    unmarked: str = "refuse"              # live, same description, no marker, nothing in the sink: "refuse" or "keep"
    blind_retry: bool = False             # POST again when the answer was lost
    find_by: str = "nonce"                # whose key the lost answer spoke of: by "nonce" or by "description"
    honest_end: bool = True               # no `ended` record while a put is unaccounted for
    child_holds_lock: bool = True         # a sink's command inherits the directory lock
    # Several homes:
    all_homes: bool = True                # False: what one home shows counts as delivered
    names_all: bool = True                # the marker names all homes together, so a key for fewer is none for these
    last_home: bool = True                # False: marked d as soon as the first home has it
    half_put: str = "leave"               # refused by a later home: "leave" the key u, which an earlier home holds; "revoke" it
    blind_asks: bool = True               # False: what homes that can be read show is taken for what a blind one holds
    spare_used: bool = True               # a leftover that some home held is in use: it is left to expire once it was replaced there
    weakest: bool = True                  # False: one home that compares versions proves for all
    refence: bool = True                  # the homes that can be read are read again before a key is marked that has a blind home
    few: bool = True                      # two leftovers of runs that are proven over, and no home complete: a person looks
    # Which proof spares a leftover its (next) successor:
    entry_tells: bool = True              # the entry of the sink's key names the leftovers that it was delivered over ...
    entry_boasts: bool = False            # ... and also those of which nothing was proven
    here_is_all: bool = True              # a local sink, the leftover's run proven over: what it does not show never comes
    later_proves: bool = False            # the sink's key was made later: nothing brings it back
    later_spares: bool = True             # the sink's key was made later: no other is minted, whatever may be revoked
    in_vain: bool = False                 # a successor is minted although the leftover could not be revoked after it
    # What the server tells and does:
    age: bool = True                      # when a key was made
    expires: bool = True                  # False: keys never end, so what cannot be revoked is refused and a person answers


PROPOSED = Protocol()
# Without versions only this run's own delivery counted, in every run anew.
UNTIL_0_1 = Protocol(entry_tells=False, here_is_all=False, later_spares=False, in_vain=True)
DRAFT = replace(UNTIL_0_1, successor_first=False, clock_is_proof=True, here_is_everywhere=True,
                 names_sink=False, unknown_put="revoke", unmarked="keep", child_holds_lock=False)


def with_item(items, index, item):
    return items[:index] + (item,) + items[index + 1:]


class Keys:
    def __init__(self, scene, protocol=PROPOSED):
        self.scene, self.p = scene, protocol
        self.homes = scene.sink if isinstance(scene.sink, tuple) else (scene.sink,)
        self.sink = self.together()
        self.half_blind = self.sink.reads and not all(sink.reads for sink in self.homes)
        self.known_rest = {}

    def together(self):
        """What is known of all homes together is the least that is known of one, but for what can be seen."""
        every = all if self.p.weakest else any
        writers = [sink.writer for sink in self.homes]
        return Sink(versions=every(sink.versions for sink in self.homes), reads=any(sink.reads for sink in self.homes),
                    writer=next((w for w in ("network", "child") if w in writers), "self"),
                    per_machine=any(sink.per_machine for sink in self.homes), local=all(sink.local for sink in self.homes),
                    late=any(sink.late for sink in self.homes))

    def at(self, run):
        """The index of the home that the run has come to."""
        return run.place * len(self.homes) + run.n

    def width(self, home):
        """How many homes the settings of a run name."""
        return 1 if self.scene.grows and home == 0 else len(self.homes)

    def places_of(self, w, place, home):
        first = place * len(self.homes)
        return w.places[first:first + self.width(home)]

    def held(self, w, place):
        """The live key that every home of a place holds, where it is one; else what the first holds that has none or a dead one."""
        inside = [home.key for home in self.places_of(w, place, w.moved)]
        bad = [k for k in inside if k is None or w.keys[k].life != "live"]
        return bad[0] if bad else inside[0]

    def start(self):
        s = self.scene
        if s.start == "raced":
            # A and B renewed at once; B's put came before A's. A read its own back, its mark was lost, and it ended.
            over = (1,) if self.p.entry_boasts else ()
            keys = (Key(OLD, "d", landed=(0,)), Key(0, "u", landed=(0,)), Key(1, "d", landed=(0,), over=over))
            ended = Run(at="over", life="ended")
            yield World(keys, (Place(1, 3, before=2), Place(None, 0)), (ended, ended, Run()), faults=s.faults)
            return
        everywhere = tuple(range(self.width(0)))
        old = Key(OLD, "d", landed=everywhere)
        keys = {"empty": (), "delivered": (old,), "due": (old._replace(due=True),)}[s.start]
        place = Place(0, 1) if keys else Place(None, 0)
        places = (place,) * len(everywhere) + (Place(None, 0),) * (2 * len(self.homes) - len(everywhere))
        yield World(keys, places, (Run(),) * s.runs, faults=s.faults, events=1 if s.events else 0, again=s.again)

    def moves(self, w):
        for i, run in enumerate(w.runs):
            if run.life == "idle" and (i == 0 or w.runs[i - 1].life != "idle"):
                yield from self.begin(w, i)
            elif run.life == "on":
                yield from self.step(w, i)
        yield from self.arrivals(w)
        if w.events:
            yield from self.happenings(w)

    # ---- what the world does by itself ---------------------------------------------------------------------------

    def arrivals(self, w):
        """A request that nobody waits for any more reaches its server after all."""
        for n, (what, *about) in enumerate(w.late):
            rest = w._replace(late=w.late[:n] + w.late[n + 1:])
            if what == "mint":
                yield f"late: {NAMES[about[0]]}'s POST commits, key {len(w.keys)}", self.made(rest, *about), None
            elif what == "put":
                after, landed, promise = self.stored(rest, *about)
                yield f"late: the put of key {about[0]} {'lands' if landed else 'is refused'}", after, promise
            elif what == "revoke":
                after, promise = self.revoked(rest, about[0])
                yield f"late: key {about[0]} is revoked", after, promise
            elif what == "mark":
                yield f"late: key {about[0]} is marked d", self.marked(rest, about[0]), None

    def happenings(self, w):
        spent = w._replace(events=w.events - 1)
        for what in self.scene.events:
            if what in ("wipe", "delete"):                       # delete: the versions start over
                for n, place in enumerate(w.places):
                    if place.key is not None:
                        empty = Place(None, place.version + 1 if what == "wipe" else 0)
                        yield f"a person {what}s the sink's secret", spent._replace(places=with_item(w.places, n, empty)), None
            elif what == "stranger":
                after = spent._replace(keys=w.keys + (Key(STRANGER, "-"),))
                yield f"a stranger makes key {len(w.keys)} of the same description", after, None
            elif what == "strip":
                for k, key in enumerate(w.keys):
                    if key.letter != "-" and key.life == "live":
                        yield f"a person strips the marker of key {k}", self.edit(spent, k, letter="-"), None
            elif what == "dies":
                for k, key in enumerate(w.keys):
                    if key.landed and key.life == "live":
                        yield f"key {k} expires, or a person kills it", self.edit(spent, k, life="dead"), None
            elif what == "reinit":
                yield "a person deletes the ledger and makes another", spent._replace(era=w.era + 1), None
            elif what == "moved":
                yield "a person lets the settings name another sink", spent._replace(moved=1), None

    # ---- what requests do ----------------------------------------------------------------------------------------

    @staticmethod
    def edit(w, k, **changes):
        return w._replace(keys=with_item(w.keys, k, w.keys[k]._replace(**changes)))

    @staticmethod
    def made(w, by, home, over=(), number=0, replaced=()):
        return w._replace(keys=w.keys + (Key(by, "u", home, over=over, number=number, replaced=replaced),))

    def marked(self, w, k):
        return self.edit(w, k, letter="d") if w.keys[k].life == "live" and self.scene.marks else w

    def stored(self, w, k, n, version):
        """The sink takes a put or refuses it. A revoked key that arrives was revoked while in flight."""
        place, home = w.places[n], n % len(self.homes)
        if (self.homes[home].versions and place.version != version) or (self.scene.shut and home + 1 == len(self.homes)):
            return w, False, None
        before = place.key if self.scene.lag else None
        after = w._replace(places=with_item(w.places, n, Place(k, place.version + 1, before)))
        landed = tuple(sorted({*w.keys[k].landed, home}))
        return self.edit(after, k, landed=landed), True, "kills a key in flight" if w.keys[k].life == "revoked" else None

    def revoked(self, w, k):
        key = w.keys[k]
        if key.by == STRANGER:
            return w, "revokes a stranger's key"
        if key.life == "live" and any(place.key == k for place in w.places):
            return w, "kills the key in the sink"
        return (self.edit(w, k, life="revoked") if key.life == "live" else w), None

    # ---- a run: the plumbing -------------------------------------------------------------------------------------

    def begin(self, w, i):
        if self.scene.ledger == DIRECTORY:                       # one lock, held for the whole run
            child = self.sink.writer == "child" and any(item[0] == "put" for item in w.late)
            if any(run.life == "on" for run in w.runs) or (child and self.p.child_holds_lock):
                return
        run = self.fresh_run(w, 0 if self.scene.grows else w.moved)
        yield f"{NAMES[i]} starts", self.with_run(w, i, run), None
        if w.events and "fresh" in self.scene.events:
            fresh = self.with_run(w._replace(events=w.events - 1), i, run._replace(place=1))
            yield f"{NAMES[i]} starts on a fresh machine, whose sink is empty", fresh, None

    def fresh_run(self, w, place):
        width = self.width(w.moved)
        return Run(at="runs" if self.p.runs_first else "list", life="on", era=w.era, place=place, home=w.moved,
                   shown=(None,) * width, version=(0,) * width)

    @staticmethod
    def with_run(w, i, run):
        return w._replace(runs=with_item(w.runs, i, run))

    def go(self, w, i, run, at=None):
        """On to the next step. The run looks at its clock here, the last answer in hand; its next request may leave
        any time later. That gap is why no check can make a later request safe."""
        if run.past and self.p.self_stop and at != "end":
            run, at = run._replace(verdict="stopped", todo=()), "end"
        if at is None:
            at = {"revoke": "get", "mark": "finish", "mint": "mint"}[run.todo[0][0]] if run.todo else "end"
        return self.with_run(w, i, run._replace(at=at))

    def next(self, w, i, run):
        return self.go(w, i, run._replace(todo=run.todo[1:]))

    def stop(self, w, i, run, verdict="failed", loose=False):
        return self.go(w, i, run._replace(verdict=verdict, todo=(), loose=run.loose or loose), "end")

    def gone(self, w, i, run, said):
        return self.with_run(w, i, Run(at="over", life="ended" if said else "silent", era=run.era))

    def step(self, w, i):
        """The next step as it should go; then, while faults are left, dying before it, and every way it goes wrong."""
        run = w.runs[i]
        for label, after, promise in getattr(self, "do_" + run.at)(w, i, run):
            yield f"{NAMES[i]} {label}", after, promise
        hurt = w._replace(faults=w.faults - 1)
        if w.again and run.at in ("get", "revoke"):
            hurt = w._replace(again=w.again - 1)
        if w.faults or hurt.again != w.again:
            yield f"{NAMES[i]} dies before step `{run.at}`", self.gone(hurt, i, run, said=False), None
            for label, after, promise in getattr(self, "bad_" + run.at, lambda *_: ())(hurt, i, run):
                yield f"{NAMES[i]} {label}", after, promise

    # ---- look: the runs, the list, the sink ----------------------------------------------------------------------

    def do_runs(self, w, i, run):
        """Which other runs are over? An `ended` record or the lock proves it; else the server's clock says it."""
        options = [(w, ())]
        for j, other in enumerate(w.runs):
            if not self.p.liveness or other.life == "ended":
                options = [(world, known + (PROVEN,)) for world, known in options]
            elif self.scene.ledger == DIRECTORY and other.life == "silent":
                options = [(world, known + (PROVEN if self.lock_proves() else CLOCK,)) for world, known in options]
            elif self.scene.ledger == SHARED and j < i and other.life in ("on", "silent"):
                options = [pair for world, known in options for pair in
                           ((self.time_passes(world, j), known + (CLOCK,)), (world, known + (ALIVE,)))]
            else:                                                # a later run is not past its end before this one is
                options = [(world, known + (ALIVE,)) for world, known in options]
        for world, known in options:
            label = "; ".join(f"{NAMES[j]} {k}" for j, k in enumerate(known) if j != i) or "no other"
            wiser = run._replace(knows=known)
            after, promise = (self.go(world, i, wiser, "list"), None) if self.p.runs_first else self.decide(world, i, wiser)
            yield f"reads the runs: {label}", after, promise

    def lock_proves(self):
        """Does holding the lock prove that no put of an earlier run can still arrive?"""
        return self.sink.writer in ("self", "child")

    def time_passes(self, w, j):
        """Past the end of run j, and so past the end of every run that started no later."""
        for k in range(j + 1):
            if w.runs[k].life == "on":
                w = self.with_run(w, k, w.runs[k]._replace(past=True))
        return w

    def do_list(self, w, i, run):
        seen = tuple((k, key.letter) for k, key in enumerate(w.keys) if key.life == "live")
        yield f"lists {words(seen)}", self.go(w, i, run._replace(seen=seen), "sink"), None

    def bad_list(self, w, i, run):
        if self.scene.lag:
            seen = tuple((k, key.letter) for k, key in enumerate(w.keys) if key.life == "live")
            for n, (k, letter) in enumerate(seen):
                views = [seen[:n] + seen[n + 1:]] + ([with_item(seen, n, (k, "u"))] if letter == "d" else [])
                for view in views:
                    yield f"lists {words(view)} (stale)", self.go(w, i, run._replace(seen=view), "sink"), None

    def do_sink(self, w, i, run):
        place, reads = w.places[self.at(run)], self.homes[run.n].reads
        label = "it cannot be read" if not reads else "nothing" if place.key is None else f"key {place.key}"
        yield f"looks into {self.name(run.n)}: {label}", *self.looked(w, i, run, place.key if reads else None, place.version)

    def bad_sink(self, w, i, run):
        place, sink = w.places[self.at(run)], self.homes[run.n]
        if self.scene.lag and sink.reads and sink.stale and place.key is not None:
            label = "nothing" if place.before is None else f"key {place.before}"
            yield f"looks into {self.name(run.n)}: {label} (stale)", *self.looked(w, i, run, place.before, place.version - 1)

    def name(self, n):
        return "the sink" if len(self.homes) == 1 else f"home {n}"

    def looked(self, w, i, run, key, version):
        run = run._replace(shown=with_item(run.shown, run.n, key), version=with_item(run.version, run.n, version), n=run.n + 1)
        if run.n < self.width(run.home):
            return self.with_run(w, i, run), None
        run = run._replace(n=0)
        return self.decide(w, i, run) if self.p.runs_first else (self.go(w, i, run, "runs"), None)

    # ---- decide --------------------------------------------------------------------------------------------------

    def hidden(self):
        """May another machine have another sink, in which the leftover is in use?"""
        return self.sink.per_machine and self.scene.ledger == SHARED and not self.p.here_is_everywhere

    def judge(self, w, run, remint=False):
        """The decision table. -> (why it stops or None, what to do, the key vouched for, leftovers that only expire, those that a
        successor is minted for)"""
        p, sink = self.p, self.sink
        letters = dict(run.seen)
        marked = [k for k in letters if p.marker and self.is_marked(w, k, run.era)]
        ours = [k for k in marked if w.keys[k].home == run.home or not p.names_sink]

        # The sink's key, live by GET on its id. A sink that cannot be read is taken to hold the newest d.
        inside = [k for k, home in zip(run.shown, self.homes) if home.reads]
        if sink.reads:
            agree = inside[0] if len(set(inside)) == 1 or not p.all_homes else None
            if self.width(run.home) > 1 and p.names_all and agree is not None and w.keys[agree].home != run.home:
                agree = None
            good = agree if agree is not None and w.keys[agree].life == "live" else None
            # Nobody sees into a blind home: only the mark says that it has the key too.
            if self.width(run.home) > 1 and self.half_blind and p.blind_asks and good is not None and w.keys[good].letter == "u":
                good = None
        else:
            good = max((k for k in ours if letters[k] == "d"), default=None)

        others = [k for k in ours if k != good]
        leftovers = [k for k in others if letters[k] == "u"] if p.recover and (good is None or p.sweep) else []
        missing = [k for k in others if letters[k] == "d"] if good is None else []

        def used(k):
            """Was it in one of several homes, so that somebody may use it?"""
            return len(run.shown) > 1 and p.spare_used and k != good and (k in inside or any(k in w.keys[x].replaced for x in inside if x is not None))

        def ended(k):
            return PROVEN if w.keys[k].by == OLD else run.knows[w.keys[k].by]

        def revocable(k):
            """Nothing can bring it into a sink any more once another key was delivered over it."""
            return not self.hidden() and not sink.late and (sink.versions or p.clock_is_proof or ended(k) == PROVEN)

        def later(k):
            """Does the server say that the sink's key was made after it?"""
            return p.age and good is not None and good > k

        def overtaken(k):
            """Is it known that nothing can bring it into the sink any more, whatever this run delivers?"""
            told = p.entry_tells and good is not None and good in inside and k in w.keys[good].over
            ended_here = p.here_is_all and sink.local and ended(k) == PROVEN
            moved_on = sink.versions and (later(k) if p.age else w.keys[k].number < run.version[0])
            return good is not None and (told or ended_here or moved_on or (p.later_proves and later(k)))

        def spared(k):
            """Is no successor minted for its sake?"""
            return used(k) or overtaken(k) or (not revocable(k) and not p.in_vain) \
                or (later(k) and (p.later_spares or (p.in_vain and not revocable(k))))

        if any(ended(k) == ALIVE for k in leftovers):
            return "waits", (), None, (), ()
        several = self.width(run.home) > 1
        begun = several and good is None and any(k in inside for k in leftovers)       # by a run that is over
        if (begun or (several and not sink.reads)) and p.few and not remint:
            newest = max((k for k in ours if letters[k] == "d"), default=-1) if p.age else -1
            if sum(ended(k) == PROVEN and k > newest for k in leftovers) > 1:
                return "refuses: nobody knows why two keys did not reach all homes", (), None, (), ()
        if missing and not remint and not begun:
            if p.missing == "refuse":
                return "refuses: a delivered key is not in the sink", (), None, (), ()
            leftovers = leftovers + missing
        unmarked = [k for k in letters if letters[k] == "-"]
        if good is None and not marked and unmarked and not remint:
            if p.unmarked == "refuse":
                return "refuses: an unmarked key of this description exists", (), None, (), ()
            return None, (), unmarked[0], (), ()

        if not p.expires and not remint:
            if any(not revocable(k) and not used(k) for k in leftovers):
                return "refuses: a leftover cannot be revoked", (), None, (), ()
            if not sink.reads and good is not None and leftovers:
                return "refuses: nobody can see whether the sink holds the leftover", (), None, (), ()
        mark = (("mark", good),) if good is not None and letters.get(good) == "u" and ended(good) != ALIVE else ()
        sake = tuple(k for k in leftovers if p.successor_first and good is not None and not spared(k))
        unseen = not sink.reads or (several and self.half_blind)
        asked = remint and unseen and leftovers                  # where nobody can look, a person may have another made over it
        wanted = good is None or w.keys[good].due or sake or asked
        mint = (("mint",),) if wanted else ()
        # After its own delivery a run may revoke whatever nothing else can bring back; without one, what was overtaken before.
        freed = [k for k in leftovers if revocable(k) and not used(k) and (wanted or not p.successor_first or overtaken(k))]
        revoke = tuple(("revoke", k) for k in freed)
        todo = mark + mint + revoke if p.successor_first else mark + revoke + mint
        elsewhere = [k for k in marked if k not in ours and letters[k] == "u" and k != good]
        return None, todo, good, tuple([k for k in leftovers if k not in freed] + elsewhere), () if good is None or w.keys[good].due else sake

    def decide(self, w, i, run):
        """-> (the world after it, the promise it breaks or None)"""
        why, todo, vouch, _, sake = self.judge(w, run, remint=run.verdict == "remint")
        ended = {k: PROVEN if w.keys[k].by == OLD else run.knows[w.keys[k].by] for k in sake}
        if self.p.age:
            second = any(vouch is not None and vouch > k and ended[k] == PROVEN for k in sake)
        else:                                                    # here a later key is known only by what it was delivered over
            second = any(vouch is not None and k in w.keys[vouch].over for k in sake)
        if self.p.entry_boasts:
            over = tuple(k for k, letter in run.seen if letter == "u") if ("mint",) in todo else ()
        else:
            over = tuple(k for what, *about in todo if what == "revoke" for k in about if dict(run.seen)[k] == "u") if ("mint",) in todo else ()
        inside = [k for k, home in zip(run.shown, self.homes) if home.reads and k is not None]
        known = {k for k, _ in run.seen}
        replaced = tuple(sorted(k for k in {k for x in inside for k in (x, *w.keys[x].replaced)} if k in known and k != vouch)) \
            if ("mint",) in todo and len(run.shown) > 1 else ()
        used = {k for x in inside for k in (x, *w.keys[x].replaced)} if len(run.shown) > 1 else ()
        ends = any(what == "revoke" and about[0] in used for what, *about in todo)
        vain = sake and self.hidden()
        run = run._replace(knows=(), seen=(), shown=(None,) * self.width(run.home))
        if why:
            return self.stop(w, i, run, why), None
        return self.go(w, i, run._replace(todo=todo, over=over, replaced=replaced, vouch=vouch, verdict="ok")), \
            "ends a key in use" if ends else "a second successor" if second else "a successor in vain" if vain else None

    @staticmethod
    def is_marked(w, k, era):
        """Does the key carry a marker of this ledger?"""
        key = w.keys[k]
        return key.letter != "-" and key.by != STRANGER and (0 if key.by == OLD else w.runs[key.by].era) == era

    # ---- revoke a leftover ---------------------------------------------------------------------------------------

    def do_get(self, w, i, run):
        key = w.keys[run.todo[0][1]]
        if key.life == "live" and (key.letter == "u" or self.p.missing == "reclaim"):
            yield f"GETs key {run.todo[0][1]}: live, {key.letter}", self.go(w, i, run, "revoke"), None
        else:
            yield f"GETs key {run.todo[0][1]}: no longer a leftover", self.next(w, i, run), None

    def do_revoke(self, w, i, run):
        if self.scene.deaf:
            yield f"revokes key {run.todo[0][1]}: refused", self.next(w, i, run._replace(verdict="failed")), None
            return
        after, promise = self.revoked(w, run.todo[0][1])
        yield f"revokes key {run.todo[0][1]}", self.next(after, i, run), promise

    def bad_revoke(self, w, i, run):
        k = run.todo[0][1]
        after, promise = self.revoked(w, k)
        yield f"revokes key {k}: refused", self.next(w, i, run._replace(verdict="failed")), None
        yield f"revokes key {k}: answer lost, done", self.stop(after, i, run), promise
        yield f"revokes key {k}: answer lost, still on its way", self.stop(w._replace(late=w.late + (("revoke", k),)), i, run), None

    # ---- mark on behalf of a run that is over --------------------------------------------------------------------

    def do_finish(self, w, i, run):
        yield f"marks key {run.todo[0][1]} d", self.next(self.marked(w, run.todo[0][1]), i, run), None

    def bad_finish(self, w, i, run):
        yield f"marks key {run.todo[0][1]} d: answer lost, not done", self.next(w, i, run), None

    # ---- mint ----------------------------------------------------------------------------------------------------

    def do_mint(self, w, i, run):
        yield f"POSTs: key {len(w.keys)}", self.go(self.made(w, i, run.home, run.over, run.version[0], run.replaced), i, run._replace(mine=len(w.keys)), "try"), None

    def bad_mint(self, w, i, run):
        at = "mint" if self.p.blind_retry else "relist"
        yield "POSTs: refused", self.stop(w, i, run), None
        yield f"POSTs: answer lost, key {len(w.keys)} made", self.go(self.made(w, i, run.home, run.over, run.version[0], run.replaced), i, run, at), None
        yield "POSTs: answer lost, not made", self.go(w, i, run, at), None
        yield "POSTs: answer lost, still on its way", self.go(w._replace(late=w.late + (("mint", i, run.home, run.over, run.version[0], run.replaced),)), i, run, at), None

    def do_relist(self, w, i, run):
        """Of which key did the lost answer speak? Its secret is lost with it, so no sink can ever hold it."""
        by = (i,) if self.p.marker and self.p.find_by == "nonce" else (i, STRANGER)
        found = [k for k, key in enumerate(w.keys) if key.life == "live" and key.by in by]
        if found:
            yield f"finds key {found[-1]}", self.go(w, i, run._replace(mine=found[-1]), "scrap_lost"), None
        else:
            yield "finds none, and stops", self.stop(w, i, run), None

    def bad_relist(self, w, i, run):
        if self.scene.lag:
            yield "finds none (stale), and stops", self.stop(w, i, run), None

    def do_scrap_lost(self, w, i, run):
        after, promise = self.revoked(w, run.mine)
        if run.again:
            yield f"revokes key {run.mine}, and stops", self.stop(after, i, run), promise
        else:
            yield f"revokes key {run.mine}", self.go(after, i, run._replace(mine=None, again=True), "mint"), promise

    def do_try(self, w, i, run):
        if w.keys[run.mine].life == "live":
            yield f"tries key {run.mine}", self.go(w, i, run, "mark" if self.p.mark_first else self.before_put()), None
        else:
            yield f"tries key {run.mine}: dead", self.stop(w, i, run), None

    # ---- deliver -------------------------------------------------------------------------------------------------

    def before_put(self):
        return "reread" if self.p.version_at == "put" else "put"

    def after_put(self, run):
        return "verify" if self.homes[run.n].reads and self.p.verify else None

    def on(self, w, i, run, at=None):
        """On to reading the same home back, or to the next home, or past the last."""
        if at:
            return self.go(w, i, run, at)
        last = run.n + 1 == self.width(run.home) or not self.p.last_home
        if not last:
            return self.go(w, i, run._replace(n=run.n + 1), self.before_put())
        run = run._replace(n=0)
        again = self.width(run.home) > 1 and self.half_blind and self.p.refence
        return self.go(w, i, run, "refence" if again else self.after_verify())

    def after_verify(self):
        return "done" if self.p.mark_first else "mark"

    def do_reread(self, w, i, run):
        version = with_item(run.version, run.n, w.places[self.at(run)].version)
        yield "reads the sink's version", self.go(w, i, run._replace(version=version), "put"), None

    def do_put(self, w, i, run):
        after, landed, promise = self.stored(w, run.mine, self.at(run), run.version[run.n])
        if landed:
            yield f"puts key {run.mine} into {self.name(run.n)}", self.on(after, i, run, self.after_put(run)), promise
        else:
            yield f"puts key {run.mine}: {self.name(run.n)} takes it no more", self.turned_down(w, i, run), None

    def turned_down(self, w, i, run):
        """Definitely not stored. Where an earlier home holds the key, it is in use, and a later run replaces it in all."""
        if run.n and self.p.half_put == "leave":
            return self.stop(w, i, run)
        return self.go(w, i, run, "scrap")

    def bad_put(self, w, i, run):
        k, sink, n = run.mine, self.homes[run.n], self.at(run)
        yield f"puts key {k} into {self.name(run.n)}: refused", self.turned_down(w, i, run), None
        after, landed, promise = self.stored(w, k, n, run.version[run.n])
        if landed:
            yield f"puts key {k} into {self.name(run.n)}: answer lost, done", self.unsure(after, i, run), promise
        yield f"puts key {k} into {self.name(run.n)}: answer lost, not done", self.unsure(w, i, run), None
        late = w._replace(late=w.late + (("put", k, n, run.version[run.n]),))
        if sink.writer != "self":
            yield f"puts key {k} into {self.name(run.n)}: answer lost, still on its way", self.unsure(late, i, run), None
            yield f"dies with the put of key {k} on its way", self.gone(late, i, run, said=False), None
        if sink.reads:                                           # where nothing can be read back, an answer is all there is
            yield f"puts key {k} into {self.name(run.n)}: acknowledged, not stored", self.on(w, i, run, self.after_put(run)), None
            if sink.writer != "self":
                yield f"puts key {k} into {self.name(run.n)}: acknowledged, stored later", self.on(late, i, run, self.after_put(run)), None

    def unsure(self, w, i, run):
        if self.p.unknown_put == "trust":
            return self.on(w, i, run)
        return self.go(w, i, run, "readback") if self.homes[run.n].reads else self.stop(w, i, run, loose=True)

    def do_readback(self, w, i, run):
        if w.places[self.at(run)].key == run.mine:
            yield "reads it back: there", self.on(w, i, run), None
        elif self.p.unknown_put == "revoke":
            yield "reads it back: not there", self.go(w, i, run, "scrap"), None
        else:
            yield "reads it back: not there; leaves it", self.stop(w, i, run, loose=True), None

    def do_scrap(self, w, i, run):
        after, promise = self.revoked(w, run.mine)
        yield f"revokes its own key {run.mine}", self.stop(after, i, run), promise

    def do_verify(self, w, i, run):
        if w.places[self.at(run)].key == run.mine:
            yield "reads it back: the same", self.on(w, i, run), None
        else:
            yield "reads it back: another key; leaves its own", self.stop(w, i, run, loose=True), None

    def bad_verify(self, w, i, run):
        yield "cannot read it back", self.stop(w, i, run, loose=True), None

    def do_refence(self, w, i, run):
        inside = {home.key for home, sink in zip(self.places_of(w, run.place, run.home), self.homes) if sink.reads}
        if inside == {run.mine}:
            yield "reads again what can be read: the same", self.go(w, i, run, self.after_verify()), None
        else:
            yield "reads again what can be read: another key; leaves its own", self.stop(w, i, run, loose=True), None

    def do_mark(self, w, i, run):
        if w.keys[run.mine].life == "live":
            at = self.before_put() if self.p.mark_first else "done"
            yield f"marks key {run.mine} d", self.go(self.marked(w, run.mine), i, run, at), None
        else:
            yield f"marks key {run.mine} d: 404", self.stop(w, i, run), None

    def bad_mark(self, w, i, run):
        """A lost mark does not undo a delivery; a later run marks the key that it finds in the sink."""
        if not self.p.mark_first:
            yield f"marks key {run.mine} d: answer lost, not done", self.go(w, i, run, "done"), None
            yield f"marks key {run.mine} d: answer lost, still on its way", \
                self.go(w._replace(late=w.late + (("mark", run.mine),)), i, run, "done"), None

    def do_done(self, w, i, run):
        yield f"has delivered key {run.mine}", self.next(w, i, run._replace(vouch=run.mine)), None

    def do_end(self, w, i, run):
        early = run.verdict == "ok" and not (run.vouch is not None and len(w.keys[run.vouch].landed) >= self.width(run.home))
        said = not run.loose or not self.p.honest_end
        yield f"ends: {run.verdict}{'' if said else ' (without an `ended` record)'}", self.gone(w, i, run, said), \
            "success before delivery" if early else None

    # ---- at rest: one more run, without faults, after every run is over ------------------------------------------

    def one_more(self, w, n, remint=False):
        """-> (the world after it, its verdict, the promise it broke or None, what it did)"""
        i = len(w.runs)
        run = self.fresh_run(w, n)._replace(verdict="remint" if remint else "")
        now = w._replace(runs=w.runs + (run,), late=(), faults=0, events=0)
        verdict, promise, did = "", None, []
        while now.runs[i].life == "on" and not promise:
            verdict = now.runs[i].verdict
            label, now, promise = next(iter(self.step(now, i)))  # the first option is the one in which time has passed
            did.append(label)
        return now, verdict, promise, "; ".join(did)

    def rest(self, w, count):
        if any(run.life == "on" for run in w.runs):
            return
        for n in (0,) if self.scene.grows else (1,) if w.moved else (0, 1) if "fresh" in self.scene.events else (0,):
            case = (w.keys, w.places, tuple((run.life, run.era) for run in w.runs), w.era, n, w.faults + w.again)
            if case not in self.known_rest:
                self.known_rest[case] = tuple(self.aftermath(w, n, count))
            yield from self.known_rest[case]

    def strays(self, w, whole=False):
        """How many keys that runs made live in no home; or, not in all that the settings name."""
        places = [{home.key for home in self.places_of(w, place, w.moved)} for place in (0, 1)] if whole else [{home.key} for home in w.places]
        return sum(key.by >= 0 and key.life == "live" and self.is_marked(w, k, w.era) and {k} not in places for k, key in enumerate(w.keys))

    def unheard(self, w, n, count):
        """The server revokes nothing: four undisturbed runs, of which the first may make one key more."""
        counts, now = [self.strays(w, whole=True)], w
        for _ in range(4):
            now, verdict, promise, did = self.one_more(now, n)
            if promise:
                yield f"one more run: {did}", promise
                return
            counts.append(self.strays(now, whole=True))
        if any(more > few for few, more in zip(counts[1:], counts[2:])) or counts[1] > counts[0] + 1:
            yield f"runs after it: {counts} keys in no sink; {did}", "leftovers multiply"
        held = self.held(now, n)
        if not verdict.startswith("refuses") and (held is None or now.keys[held].life != "live"):
            yield f"runs after it: {did}", "dead key not noticed"
        count["refuse" if verdict.startswith("refuses") else "name it" if verdict == "failed" else "converge"] += 1

    def turned_away(self, w, n, count):
        """A home takes nothing: six undisturbed runs, of which the last ones make no key more and ask for a person."""
        counts, now = [self.strays(w, whole=True)], w
        for _ in range(6):
            now, verdict, promise, did = self.one_more(now, n)
            if promise or verdict == "ok":
                yield f"one more run: {did}", promise or "success before delivery"
                return
            counts.append(self.strays(now, whole=True))
        if counts[-1] != counts[-3] or not verdict.startswith("refuses"):
            yield f"runs after it: {counts} keys not in all homes; {did}", "leftovers multiply"
        count["refuse"] += 1

    def aftermath(self, w, n, count):
        if self.scene.shut:
            yield from self.turned_away(w, n, count)
            return
        if self.scene.deaf:
            yield from self.unheard(w, n, count)
            return
        if self.scene.ledger == DIRECTORY and not self.scene.events:
            troubles = self.scene.faults - w.faults + self.scene.again - w.again
            if self.strays(w) > troubles:
                yield f"{self.strays(w)} keys in no sink after {troubles} troubles", "leftovers multiply"
        after, verdict, promise, did = self.one_more(w, n)
        count["refuse" if verdict.startswith("refuses") else "converge"] += 1
        grown = self.strays(after, whole=True) - self.strays(w, whole=True)
        seen = all(sink.reads for sink in self.homes)            # where nobody can look, the leftover may have been in the sink
        if not promise and not self.scene.events and grown > (0 if seen else 1):
            yield f"one more run, undisturbed: {did}", "leftovers multiply"
        for _ in range(2):                                       # a person looks: --reclaim, and --remint first if it is the one
            if not verdict.startswith(("refuses: a leftover", "refuses: nobody")):
                break
            inside = [place.key for place in after.places]
            after = after._replace(keys=tuple(key._replace(life="dead") if key.letter == "u" and k not in inside else key
                                              for k, key in enumerate(after.keys)))
            there = any(k is not None and after.keys[k].letter == "u" and after.keys[k].life == "live" for k in inside)
            after, verdict, promise, did = self.one_more(after, n, remint=there)
            if there and verdict == "ok" and not promise:
                after, verdict, promise, did = self.one_more(after, n)
        if verdict.startswith("refuses"):                        # a person says --remint
            after, verdict, promise, did = self.one_more(after, n, remint=True)
        if promise or verdict != "ok":
            yield f"one more run, and --remint where it refuses: {did}", promise or "stuck"
            return

        def noticed(home, sink):
            """A home that nobody can look into may hold a key that a person killed."""
            return sink.reads or home.key is None or after.keys[home.key].life != "dead"

        here = [home.key for home, sink in zip(self.places_of(after, n, after.moved), self.homes) if noticed(home, sink)]
        held = here[0] if here else after.places[n * len(self.homes)].key
        if any(k is None or after.keys[k].life != "live" for k in here):
            yield f"one more run: {did}", "dead key not noticed"
        if len({home.key for home, sink in zip(self.places_of(after, n, after.moved), self.homes) if sink.reads}) > 1:
            yield f"one more run: {did}", "homes that differ"

        again, verdict, promise, did = self.one_more(after, n)
        if promise or verdict != "ok" or (again.keys, again.places) != (after.keys, after.places):
            yield f"a second run more: {did}", promise or "never at rest"

        silent = PROVEN if self.scene.ledger == DIRECTORY and self.lock_proves() else CLOCK
        known = tuple({"ended": PROVEN, "silent": silent}.get(run.life, ALIVE) for run in again.runs)
        seen = tuple((k, key.letter) for k, key in enumerate(again.keys) if key.life == "live")
        shown = tuple(home.key if sink.reads else None for home, sink in zip(self.places_of(again, n, again.moved), self.homes))
        expiring = self.judge(again, self.fresh_run(again, n)._replace(
            knows=known, seen=seen, shown=shown, version=tuple(home.version for home in self.places_of(again, n, again.moved))))[3]
        if expiring:
            count["leave a key to expire"] += 1
        for k, key in enumerate(again.keys):
            ours = key.life == "live" and self.is_marked(again, k, w.era)
            superseded = key.letter == "d" and key.landed        # it expires by itself
            if ours and not superseded and k not in expiring and all(place.key != k for place in again.places):
                yield f"key {k} lives, is in no sink, and no run will revoke it", "orphan"


def words(seen):
    return ", ".join(f"key {k} {letter}" for k, letter in seen) or "no key"


class Noticed(Keys):
    """Suppose a key is killed all the same: is it noticed, and does nobody report success?"""

    def stored(self, w, k, n, version):
        after, landed, _ = super().stored(w, k, n, version)
        return after, landed, None

    def revoked(self, w, k):
        after, promise = super().revoked(w, k)
        if promise == "kills the key in the sink":
            return self.edit(w, k, life="revoked"), None
        return after, promise


# ---- what is checked ---------------------------------------------------------------------------------------------

SINKS = (("vault", VAULT), ("file", FILE), ("command", COMMAND), ("write-only", WRITE_ONLY))
LATE_SINKS = (("variable", VARIABLE), ("account", ACCOUNT))
MORE_SINKS = (("blind command", BLIND_COMMAND), ("file, shared", SHARED_FILE), ("command, shared", SHARED_COMMAND))


def happenings(sink, ledger):
    return ("stranger", "strip", "dies", "reinit", "moved") + (("wipe",) if sink.reads else ()) \
        + (("fresh",) if sink.per_machine and ledger == SHARED else ())


def proposed():
    for ledger in (DIRECTORY, SHARED):
        for name, sink in SINKS:
            for start in ("empty", "due"):
                yield Row(f"{name}, {ledger}, {start}: 2 faults, lag", Keys(Scene(sink, ledger, start, faults=2, lag=True)))
    for ledger in (DIRECTORY, SHARED):
        for name, sink in SINKS:
            for start in ("empty", "due"):
                if start == "due" or not (sink.per_machine and ledger == SHARED):      # those are slow, and covered by `due`
                    scene = Scene(sink, ledger, start, lag=True, events=happenings(sink, ledger))
                    yield Row(f"{name}, {ledger}, {start}: 1 fault, lag, 1 event", Keys(scene))
    for name, sink in SINKS:
        if sink != COMMAND:                                                            # without faults the same as a file
            yield Row(f"{name}, {SHARED}, due: three runs, pauses only", Keys(Scene(sink, start="due", runs=3, faults=0)))


def leftovers():
    for name, sink in SINKS + MORE_SINKS:
        for ledger in (DIRECTORY, SHARED):
            scene = Scene(sink, ledger, "due", faults=1, again=3, runs=3 if ledger == DIRECTORY else 2, lag=True)
            yield Row(f"{name}, {ledger}: 1 fault, lag, three more where it is revoked", Keys(scene))
            for start in ("empty", "due"):
                yield Row(f"{name}, {ledger}, {start}: 1 fault, lag, and nothing is ever revoked", Keys(replace(scene, start=start, runs=2, again=0, deaf=True)))


def takes_what_is_late():
    for name, sink in LATE_SINKS + (("vault, account", (VAULT, ACCOUNT)), ("vault, variable", (VAULT, VARIABLE))):
        for ledger in (DIRECTORY, SHARED):
            for start in ("empty", "due"):
                yield Row(f"{name}, {ledger}, {start}: 1 fault, lag", Keys(Scene(sink, ledger, start, lag=True)))
        yield Row(f"{name}, {DIRECTORY}, due: nothing is ever revoked", Keys(Scene(sink, DIRECTORY, "due", deaf=True)))
    for name, sink in LATE_SINKS:
        yield Row(f"{name}, {SHARED}, due: 1 fault, lag, 1 event", Keys(Scene(sink, SHARED, "due", lag=True, events=happenings(sink, SHARED))))


def leftovers_before():
    for name, sink in SINKS + MORE_SINKS:
        scene = Scene(sink, DIRECTORY, "delivered", faults=1, again=2, runs=3)
        yield Row(f"{name}: the same trouble again", Keys(replace(scene, start="due"), UNTIL_0_1), clean=sink == VAULT)
        yield Row(f"{name}: nothing is ever revoked", Keys(replace(scene, start="due", runs=2, deaf=True), UNTIL_0_1), clean=sink == VAULT)


def proposed_deep():
    for name, sink in SINKS:
        for start in ("empty", "delivered", "due"):
            scene = Scene(sink, SHARED, start, faults=2, lag=True, events=happenings(sink, SHARED))
            yield Row(f"{name}, {SHARED}, {start}: 2 faults, lag, 1 event", Keys(scene))
        yield Row(f"{name}, {SHARED}, due: 3 faults, lag", Keys(Scene(sink, start="due", faults=3, lag=True)))
        scene = Scene(sink, DIRECTORY, "due", runs=3, faults=3, lag=True)
        yield Row(f"{name}, {DIRECTORY}, due: three runs, 3 faults, lag", Keys(scene))
        yield Row(f"{name}, {SHARED}, due: three runs, 1 fault", Keys(Scene(sink, start="due", runs=3)))


def weakened(name, scene, **rules):
    return Row(name, Keys(scene, replace(PROPOSED, **rules)), clean=False)


def weakenings():
    local, fresh = Scene(VAULT, DIRECTORY), Scene(FILE, events=("fresh",))
    yield weakened("no marker", local, marker=False)
    yield weakened("no recovery", local, recover=False)
    yield weakened("leftovers looked for only when the sink has no live key", Scene(VAULT, DIRECTORY, "due"), sweep=False)
    yield weakened("the usual script: blind retry, no marker, no recovery", local, marker=False, recover=False, blind_retry=True)
    yield weakened("a lost answer's key found by description", Scene(VAULT, DIRECTORY, events=("stranger",)), find_by="description")
    yield weakened("leftover revoked before its successor is delivered (vault)", Scene(VAULT, faults=0), successor_first=False)
    yield weakened("the same (write-only sink)", Scene(WRITE_ONLY, DIRECTORY), successor_first=False)
    yield weakened("the clock as proof that a run writes no more", Scene(WRITE_ONLY, faults=0), clock_is_proof=True)
    yield weakened("every other run taken to be over", Scene(WRITE_ONLY, faults=0), liveness=False)
    yield weakened("this machine's file sink taken for every machine's", fresh, here_is_everywhere=True)
    yield weakened("the marker does not name the sink", Scene(VAULT, DIRECTORY, events=("moved",)), names_sink=False)
    yield weakened("the letter d is never set (write-only sink)", Scene(WRITE_ONLY, DIRECTORY, faults=0, marks=False))
    yield weakened("the sink's version read just before the put, and no clock", Scene(VAULT, faults=0),
                   version_at="put", self_stop=False)
    yield weakened("a put without an answer: revoke", local, unknown_put="revoke")
    yield weakened("a put without an answer: trust", local, unknown_put="trust")
    yield weakened("no verify", local, verify=False)
    yield weakened("marked d before the put (vault)", local, mark_first=True)
    yield weakened("the same (write-only sink)", Scene(WRITE_ONLY, DIRECTORY), mark_first=True)
    yield weakened("a delivered key that this machine's sink lacks: reclaim", replace(fresh, faults=0, start="delivered"),
                   missing="reclaim", here_is_everywhere=True)
    yield weakened("an unmarked key of the description: keep", Scene(VAULT, DIRECTORY, events=("stranger",)), unmarked="keep")
    yield weakened("`ended` although a put is unaccounted for", Scene(WRITE_ONLY), honest_end=False)
    yield weakened("a sink's command does not hold the lock", Scene(COMMAND, DIRECTORY), child_holds_lock=False)


def loose_leftovers():
    raced = Scene(SHARED_COMMAND, SHARED, "raced", runs=3, lag=True)
    yield weakened("the sink's key was made later, so the leftover is gone", raced, later_proves=True)
    yield weakened("the entry tells of leftovers that may still arrive", raced, entry_boasts=True)
    yield Row("the same two runs by the rules", Keys(raced))
    yield weakened("a successor for what cannot be revoked after it", Scene(FILE, SHARED, "due"), in_vain=True)
    yield weakened("a later key in the sink spares nothing", Scene(BLIND_COMMAND, DIRECTORY, "due", deaf=True), later_spares=False)
    for name, sink in (("command", COMMAND), ("file, shared", SHARED_FILE)):
        yield weakened(f"{name}, a server that tells no age: the entry tells nothing", Scene(sink, DIRECTORY, deaf=True),
                       age=False, expires=False, entry_tells=False)


TWO_HOMES = (("two vaults", (VAULT, VAULT)), ("vault, file", (VAULT, FILE)), ("vault, command", (VAULT, COMMAND)),
             ("vault, write-only", (VAULT, WRITE_ONLY)), ("file, write-only", (FILE, WRITE_ONLY)), ("two write-only", (WRITE_ONLY, WRITE_ONLY)))


def several_homes():
    for name, homes in TWO_HOMES:
        for ledger in (DIRECTORY, SHARED):
            for start in ("empty", "due"):
                yield Row(f"{name}, {ledger}, {start}: 1 fault, lag", Keys(Scene(homes, ledger, start, lag=True)))
        yield Row(f"{name}, {DIRECTORY}, due: 2 faults", Keys(Scene(homes, DIRECTORY, "due", faults=2)))
        yield Row(f"{name}, {DIRECTORY}: a home is added, 1 fault", Keys(Scene(homes, DIRECTORY, "delivered", events=("moved",), grows=True)))
        yield Row(f"{name}, {DIRECTORY}: the last home refuses everything", Keys(Scene(homes, DIRECTORY, shut=True)))
    for name, homes in TWO_HOMES[:4]:
        yield Row(f"{name}, {DIRECTORY}, due: nothing is ever revoked", Keys(Scene(homes, DIRECTORY, "due", deaf=True)))


def several_homes_weakened():
    vaults, mixed = (VAULT, VAULT), (VAULT, WRITE_ONLY)
    yield weakened("delivered once one home shows it", Scene(vaults, DIRECTORY), all_homes=False)
    yield weakened("marked once the first home has it", Scene(vaults, DIRECTORY), last_home=False)
    yield weakened("refused by a later home: revoke", Scene(vaults, DIRECTORY, "due"), half_put="revoke")
    yield weakened("what can be seen is taken for what cannot", Scene(mixed, DIRECTORY), blind_asks=False)
    yield weakened("one home's versions prove for all", Scene(mixed, faults=0), weakest=False)
    yield weakened("what was replaced in one home is revoked at once", Scene(vaults, DIRECTORY), spare_used=False)
    yield weakened("no end to keys that do not reach all homes", Scene(vaults, DIRECTORY, shut=True), few=False)
    yield weakened("the marker names no homes but the first", Scene(mixed, DIRECTORY, "delivered", faults=0, events=("moved",), grows=True), names_all=False)


def draft():
    for name, scene in (
        ("vault, shared ledger: a pause, no fault", Scene(VAULT, faults=0)),
        ("file, shared ledger: a pause, no fault", Scene(FILE, faults=0)),
        ("vault, directory: 1 fault", Scene(VAULT, DIRECTORY)),
        ("write-only, directory: 1 fault", Scene(WRITE_ONLY, DIRECTORY)),
        ("command, directory: 1 fault", Scene(COMMAND, DIRECTORY)),
        ("file, shared ledger: 1 fault, a fresh machine", Scene(FILE, events=("fresh",))),
        ("vault, directory: a stranger's key", Scene(VAULT, DIRECTORY, faults=0, events=("stranger",))),
    ):
        yield Row(name, Keys(scene, DRAFT), clean=False)
    yield Row("file, directory: 2 faults", Keys(Scene(FILE, DIRECTORY, faults=2), DRAFT))


def limits():
    scene = Scene(VAULT, faults=0, events=("delete",))
    yield Row("vault: a pause; a person deletes the secret, versions and all", Keys(scene), clean=False)
    yield Row("the same: a dead key would be noticed, no success reported", Noticed(replace(scene, faults=2, lag=True)))


def indifferent():
    """What the proposal does not lean on."""
    for start in ("empty", "due"):
        yield Row(f"vault, write-only, {start}: not read again before the mark", Keys(Scene((VAULT, WRITE_ONLY), start=start, lag=True), replace(PROPOSED, refence=False)))
    for name, sink in SINKS:
        due = Scene(sink, start="due")
        yield Row(f"{name}: no run ever stops itself at max_run", Keys(due, replace(PROPOSED, self_stop=False)))
        yield Row(f"{name}: an entry that tells nothing", Keys(replace(due, deaf=True), replace(PROPOSED, entry_tells=False)))
        yield Row(f"{name}: the runs read after the list and the sink", Keys(due, replace(PROPOSED, runs_first=False)))
    yield Row("vault: every other run taken to be over", Keys(Scene(VAULT, start="due"), replace(PROPOSED, liveness=False)))


if __name__ == "__main__":
    report((("Keys: the protocol as proposed", proposed()),
            ("Keys: a leftover that is not revoked, again and again", leftovers()),
            ("Keys: the same by the rule until 0.1, where every run's own delivery counted alone", leftovers_before()),
            ("Keys: looser rules for leftovers", loose_leftovers()),
            ("Keys: sinks that take whatever arrives", takes_what_is_late()),
            ("Keys: several homes a key", several_homes()),
            ("Keys: several homes, one rule weakened at a time", several_homes_weakened()),
            ("Keys: what it does not lean on", indifferent()),
            ("Keys: a known limit", limits()),
            ("Keys: the draft before these checks", draft()),
            ("Keys: one rule weakened at a time", weakenings())),
           deep=(("Keys: the protocol as proposed, a larger scope", proposed_deep()),))
