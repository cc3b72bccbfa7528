#!/usr/bin/env python3
"""Imburse: objects can be listed, but a name is nobody's own. Strangers make tenants and keys of the same name, lists lag.

Tenants follow `tenants.py`. For keys this file asks which key a lost answer spoke of: the draft's answer (the one that is
not in the baseline listed before), a person's answer, or the one that carries our marker in its name, as in `keys.py`.
Runs come one after the other here (one lock): the question is hard enough for a single runner.
"""
from dataclasses import dataclass, replace
from typing import NamedTuple, Optional

import keys
import tenants
from explore import Row, report

STRANGER = -2
NAMES = "ABCDEF"


# ---- the world ---------------------------------------------------------------------------------------------------

class Key(NamedTuple):
    by: int                               # the run that made it, or STRANGER; all have the declared name
    live: bool = True


class Record(NamedTuple):
    state: str = "none"                   # none, pending, bound
    run: Optional[int] = None
    baseline: tuple = ()                  # public keys listed before the intent was written
    key: Optional[int] = None


class Run(NamedTuple):
    at: str = "idle"
    life: str = "idle"                    # idle, on, over
    seen: tuple = ()
    mine: Optional[int] = None
    verdict: str = ""


class World(NamedTuple):
    keys: tuple
    record: Record
    sink: Optional[int]
    runs: tuple
    late: tuple = ()                      # POSTs on their way
    faults: int = 0
    strangers: int = 0


@dataclass(frozen=True)
class Scene:
    runs: int = 2
    faults: int = 1
    lag: bool = False
    strangers: int = 1                    # how many keys of the same name strangers make, at any time


class BaselineKeys:
    """A key found by its name. `rule`: what a run does about an intent in doubt: "baseline" or "person"."""

    def __init__(self, scene, rule):
        self.scene, self.rule = scene, rule

    def start(self):
        s = self.scene
        yield World((), Record(), None, (Run(),) * s.runs, faults=s.faults, strangers=s.strangers)

    def moves(self, w):
        busy = any(run.life == "on" for run in w.runs)
        for i, run in enumerate(w.runs):
            if run.life == "idle" and not busy and (i == 0 or w.runs[i - 1].life == "over"):
                yield f"{NAMES[i]} starts", self.with_run(w, i, Run("look", "on")), None
            elif run.life == "on":
                yield from self.step(w, i)
        if w.late:
            after = self.made(w._replace(late=w.late[1:]), w.late[0])
            yield f"late: {NAMES[w.late[0]]}'s POST commits, key {len(w.keys)}", after, None
        if w.strangers:
            yield f"a stranger makes key {len(w.keys)}", self.made(w._replace(strangers=w.strangers - 1), STRANGER), None

    @staticmethod
    def with_run(w, i, run):
        return w._replace(runs=w.runs[:i] + (run,) + w.runs[i + 1:])

    @staticmethod
    def made(w, by):
        return w._replace(keys=w.keys + (Key(by),))

    @staticmethod
    def deleted(w, k):
        promise = "deletes a stranger's key" if w.keys[k].by == STRANGER else "kills the key in the sink" if w.sink == k else None
        return w._replace(keys=w.keys[:k] + (w.keys[k]._replace(live=False),) + w.keys[k + 1:]), promise

    def go(self, w, i, run, at):
        return self.with_run(w, i, run._replace(at=at))

    def stop(self, w, i, run, verdict):
        return self.with_run(w, i, run._replace(at="end", verdict=verdict))

    def step(self, w, i):
        run = w.runs[i]
        for label, after, promise in getattr(self, "do_" + run.at)(w, i, run):
            yield f"{NAMES[i]} {label}", after, promise
        if w.faults:
            hurt = w._replace(faults=w.faults - 1)
            yield f"{NAMES[i]} dies before step `{run.at}`", self.with_run(hurt, i, Run("over", "over")), None
            for label, after, promise in getattr(self, "bad_" + run.at, lambda *_: ())(hurt, i, run):
                yield f"{NAMES[i]} {label}", after, promise

    def listed(self, w):
        live = tuple(k for k, key in enumerate(w.keys) if key.live)
        yield "", live, w
        if self.scene.lag and w.faults:
            for k in live:
                yield " (stale)", tuple(x for x in live if x != k), w._replace(faults=w.faults - 1)

    # ---- a run ---------------------------------------------------------------------------------------------------

    def do_look(self, w, i, run):
        record = w.record
        delivered = w.sink is not None and w.keys[w.sink].live
        if record.state == "bound":
            verdict = "ok" if delivered else "refuses: a delivered key is not in the sink"
            yield "reads the record: bound", self.stop(w, i, run, verdict), None
        elif record.state == "none":
            yield "reads the record: none", self.go(w, i, run, "list"), None
        elif delivered and w.keys[w.sink].by == record.run:      # the sink's metadata names the intent's key
            yield "reads the record: pending; the sink has its key", self.go(w, i, run._replace(mine=w.sink), "bind"), None
        else:
            yield "reads the record: pending", self.go(w, i, run, "resolve"), None

    def do_list(self, w, i, run):
        for note, seen, world in self.listed(w):
            yield f"lists the baseline{note}: {seen}", self.go(world, i, run._replace(seen=seen), "intend"), None

    def do_intend(self, w, i, run):
        yield "writes the intent", self.go(w._replace(record=Record("pending", i, run.seen)), i, run, "post"), None

    def do_post(self, w, i, run):
        yield f"POSTs: key {len(w.keys)}", self.go(self.made(w, i), i, run._replace(mine=len(w.keys)), "deliver"), None

    def bad_post(self, w, i, run):
        yield "POSTs: refused", self.stop(w._replace(record=Record()), i, run, "failed"), None
        yield f"POSTs: answer lost, key {len(w.keys)} made", self.stop(self.made(w, i), i, run, "failed"), None
        yield "POSTs: answer lost, not made", self.stop(w, i, run, "failed"), None
        yield "POSTs: answer lost, still on its way", self.stop(w._replace(late=w.late + (i,)), i, run, "failed"), None

    def do_resolve(self, w, i, run):
        """An intent whose run is over, and whose key is not in the sink: made, or not?"""
        if self.rule == "person":
            yield "refuses", self.stop(w, i, run, "refuses: in doubt"), None
            return
        for note, seen, world in self.listed(w):
            new = tuple(k for k in seen if k not in w.record.baseline)
            label = f"lists{note}, less the baseline: {new}"
            if not new:
                yield f"{label}; clears the intent", self.go(world._replace(record=Record()), i, run, "look"), None
            elif len(new) == 1:
                after, promise = self.deleted(world, new[0])
                yield f"{label}; deletes key {new[0]}", self.go(after._replace(record=Record()), i, run, "look"), promise
            else:
                yield label, self.stop(world, i, run, "refuses: in doubt"), None

    def do_deliver(self, w, i, run):
        yield f"delivers key {run.mine}", self.go(w._replace(sink=run.mine), i, run, "bind"), None

    def bad_deliver(self, w, i, run):
        after, promise = self.deleted(w, run.mine)
        yield f"delivers key {run.mine}: refused; deletes it", self.stop(after._replace(record=Record()), i, run, "failed"), promise

    def do_bind(self, w, i, run):
        yield f"binds key {run.mine}", self.stop(w._replace(record=Record("bound", key=run.mine)), i, run, "ok"), None

    def do_end(self, w, i, run):
        yield f"ends: {run.verdict}", self.with_run(w, i, Run("over", "over")), None

    # ---- at rest -------------------------------------------------------------------------------------------------

    def one_more(self, w):
        i = len(w.runs)
        now = w._replace(runs=w.runs + (Run("look", "on"),), late=(), faults=0, strangers=0)
        verdict, promise, did = "", None, []
        while now.runs[i].life == "on" and not promise:
            verdict = now.runs[i].verdict
            label, now, promise = next(iter(self.step(now, i)))
            did.append(label)
        return now._replace(runs=w.runs), verdict, promise, "; ".join(did)

    def rest(self, w, count):
        if any(run.life == "on" for run in w.runs) or w.late:
            return
        after, verdict, promise, did = self.one_more(w)
        count["refuse" if verdict.startswith("refuses") else "converge"] += 1
        if verdict.startswith("refuses"):                        # a person deletes ours, if it is there, and clears the intent
            left = tuple(key._replace(live=key.live and (key.by == STRANGER or k == after.sink)) for k, key in enumerate(after.keys))
            after, verdict, promise, did = self.one_more(after._replace(keys=left, record=Record()))
        if promise or verdict != "ok":
            yield f"one more run, and a person's answer: {did}", promise or "stuck"
        elif any(key.live and key.by != STRANGER and k != after.sink for k, key in enumerate(after.keys)):
            yield f"one more run: {did}; a key of ours lives, is in no sink, and no run will find it", "orphan"


# ---- what is checked ---------------------------------------------------------------------------------------------

def tenant_rows():
    refuse = replace(tenants.PROPOSED, unbound="refuse")
    sole = tenants.Scene("directory", listing=True, lag=True, events=("stranger",))
    two = replace(sole, ledger="object-store")
    still = replace(two, lag=False, faults=0)
    yield Row("tenants as proposed, directory: 2 faults, lag, a stranger", tenants.Tenants(sole, refuse))
    yield Row("tenants as proposed, object-store: 2 faults, lag, a stranger", tenants.Tenants(two, refuse))
    yield Row("the listed tenant of that name is ours", tenants.Tenants(sole, replace(refuse, unbound="adopt")), clean=False)
    yield Row("the one listed since the intent is ours", tenants.Tenants(sole, replace(refuse, one_adopts=True)), clean=False)
    yield Row("none listed since the intent: clear it", tenants.Tenants(sole, replace(refuse, none_clears=True)), clean=False)
    yield Row("no intent, the name alone (no lag)", tenants.Tenants(still, replace(refuse, intent="after")), clean=False)


def key_rows():
    yield Row("draft: the one key not in the baseline is ours; a stranger", BaselineKeys(Scene(), "baseline"), clean=False)
    yield Row("draft: the same; no stranger, a POST that commits late", BaselineKeys(Scene(strangers=0), "baseline"), clean=False)
    yield Row("a person decides: 2 faults, lag, 2 strangers", BaselineKeys(Scene(faults=2, lag=True, strangers=2), "person"))
    for ledger in (keys.DIRECTORY, keys.SHARED):
        scene = keys.Scene(keys.VAULT, ledger, lag=True, events=("stranger", "strip", "wipe"))
        yield Row(f"proposed: marker in the key's name, vault, {ledger}", keys.Keys(scene))
    scene = keys.Scene(keys.FILE, keys.DIRECTORY, lag=True, events=("stranger", "strip", "wipe"))
    yield Row("proposed: marker in the key's name, file, directory", keys.Keys(scene))


# Keys that tell no age and never end: a leftover that cannot be revoked safely is refused, and a person answers.
AGELESS = replace(keys.PROPOSED, age=False, expires=False)


def leftover_rows():
    for name, sink in keys.SINKS + keys.MORE_SINKS:
        for ledger in (keys.DIRECTORY, keys.SHARED):
            scene = keys.Scene(sink, ledger, runs=3 if ledger == keys.DIRECTORY else 2, again=3, lag=True)
            yield Row(f"{name}, {ledger}: 1 fault, lag, three more where it is revoked", keys.Keys(scene, AGELESS))
            yield Row(f"{name}, {ledger}: 2 faults, lag", keys.Keys(keys.Scene(sink, ledger, faults=2, lag=True), AGELESS))
            scene = replace(scene, again=0, runs=2, faults=2, deaf=True)
            yield Row(f"{name}, {ledger}: 2 faults, lag, and nothing is ever revoked", keys.Keys(scene, AGELESS))
    for name, homes in keys.TWO_HOMES:
        for ledger in (keys.DIRECTORY, keys.SHARED):
            yield Row(f"{name}, {ledger}: 1 fault, lag", keys.Keys(keys.Scene(homes, ledger, lag=True), AGELESS))
        yield Row(f"{name}, {keys.DIRECTORY}: a home is added, 1 fault", keys.Keys(keys.Scene(homes, keys.DIRECTORY, "delivered", events=("moved",), grows=True), AGELESS))
        yield Row(f"{name}, {keys.DIRECTORY}: the last home refuses everything", keys.Keys(keys.Scene(homes, keys.DIRECTORY, shut=True), AGELESS))
    until = replace(AGELESS, entry_tells=False)
    yield Row("command, directory: the rule until 0.1", keys.Keys(keys.Scene(keys.COMMAND, keys.DIRECTORY, again=2, runs=3), until), clean=False)


if __name__ == "__main__":
    report((("Imburse tenants", tenant_rows()), ("Imburse keys: whose is it?", key_rows()),
            ("Imburse keys: a leftover that is not revoked, again and again", leftover_rows())))
