sac plugins new executor cabin
cd sac-executor-cabin
pip install --quiet --editable . --group test
