"""The project's benchmarks: each beside a peer or the bare parts in the same run, as a table and as JSON.

Belongs here: what a promise with a number is measured by. Does not belong here: checks that something works (tests do
that, and they never assert a time). docs/reference/benchmarks.md says what each figure means.
"""
