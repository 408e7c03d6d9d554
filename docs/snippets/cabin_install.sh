pip wheel --quiet --no-deps --wheel-dir dist .
pip uninstall --quiet --yes sac-executor-cabin
pip install --quiet dist/sac_executor_cabin-0.1.0-py3-none-any.whl
