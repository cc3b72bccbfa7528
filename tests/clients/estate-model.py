"""What an estate of 100,000 tenants costs, by a model of the vendor's limits and of shards: hours, requests, objects of the ledger.

Usage: python3 tests/clients/estate-model.py [TENANTS [SHARDS [VENDOR-MS [STORE-MS]]]]
It plays each tenant as a row of requests, one after the other, through its shard's places (32), the vendor's tier for creations (100 a
minute for the one user who creates, of which each shard takes its part), and the time of each answer. Requests a tenant are those that
shards-speed.py and ledger-speed.py measured. It first plays what ledger-speed.py measured, and ends with an error where it is more than a third
away: that is what its hours are worth. A processor that is too slow, faults and the vendor's own bad days are not in it.
"""
import heapq
import sys

PLACES = 32
# A tenant with two keys: requests to its own host in an apply (the one that creates it is apart), and reads and writes of its record.
OWN, RECORD = 17, 4
PLAN, UNATTENDED = 4, 6
CREATIONS_A_MINUTE = 100

TENANTS, SHARDS, VENDOR, STORE = (int(text) for text in sys.argv[1:] + ["100000", "16", "100", "20"][len(sys.argv[1:]) :])


def made(tenants, shards, vendor, store, places=PLACES):
    """Seconds until all are made, and how many creations were sent in the busiest minute."""
    share = max(CREATIONS_A_MINUTE // shards, 1)
    sent, last = [], 0.0
    for shard in range(shards):
        free = [0.0] * places
        window = []
        for _ in range(tenants // shards + (shard < tenants % shards)):
            # The intent, then its turn at the vendor, then all that is the tenant's own.
            now = heapq.heappop(free) + store
            if len(window) >= share:
                now = max(now, window[-share] + 60)
            window.append(now)
            end = now + vendor + (RECORD - 1) * store + OWN * vendor
            heapq.heappush(free, end)
            last = max(last, end)
        sent += window
    sent.sort()
    return last, max(sum(1 for one in sent[i : i + 2 * CREATIONS_A_MINUTE] if one < sent[i] + 60) for i in range(0, len(sent), 50))


def rows(tenants, shards, requests, vendor, store):
    """Seconds for so many requests a tenant, and one read of its record before, 16 side by side."""
    each = -(-tenants // shards)
    return -(-each // 16) * store + -(-each // PLACES) * requests * vendor


def clock(seconds):
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s"


def main():
    measured, played = 1.88, made(100, 1, 0.020, 0.0)[0]
    print(f"100 tenants, 20 ms, ledger in a folder: measured {measured} s, played {played:.2f} s")
    assert abs(played - measured) < measured / 3, "the model is too far away from what was measured"
    vendor, store = VENDOR / 1000, STORE / 1000
    print(f"{TENANTS} tenants with two keys, {SHARDS} shards, {VENDOR} ms a request to the vendor, {STORE} ms to the store")
    seconds, most = made(TENANTS, SHARDS, vendor, store)
    alone, _ = made(TENANTS, 1, vendor, store)
    print(f"first apply         {clock(seconds):>9} ({clock(alone)} by one)  {(OWN + 1) * TENANTS:>10} requests  {(RECORD + 1) * TENANTS:>9} to the store")
    print(f"                    at most {most} creations in a minute; without the vendor's tier it would be {clock(rows(TENANTS, SHARDS, OWN + 1, vendor, store))}")
    for name, requests in [("plan, attended", PLAN), ("plan, unattended", UNATTENDED)]:
        seconds, alone = (rows(TENANTS, shards, requests, vendor, store) for shards in (SHARDS, 1))
        print(f"{name:<19} {clock(seconds):>9} ({clock(alone)} by one)  {requests * TENANTS:>10} requests  {TENANTS:>9} to the store")
    print(f"ledger              {TENANTS} records and at most 200 ended runs, each an object of about 1 KB")


main()
