"""What bodies in containers cost, beside `docker run -d` and a bare client of the same engine.

Belongs here: measurements that need an engine. Without one they are left out, and the table says why. The images are
`python:3.13-slim` and `busybox:1`; SAC_BENCH_IMAGES names others, with a Python and without one: ``IMAGE,IMAGE``.
"""
