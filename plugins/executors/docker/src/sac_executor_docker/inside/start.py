"""Runs in a container, Python 3.8+: starts the holder. Python keeps compiled what is imported, no program itself."""

import sys

sys.path.append(__file__.rpartition("/")[0])  # behind the library, which nothing here is to stand before

import program  # type: ignore[import-not-found]

if __name__ == "__main__":
    program.main(sys.argv[1:])
