"""Programs that run in containers, beside the holder's: one file each, standard library, Python 3.8 and later."""
