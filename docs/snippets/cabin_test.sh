pytest --quiet
