sac run shell --name demo --detach  # prints agent/demo and session/s-...
sac attach demo                     # its newest terminal; ctrl-] and then d leaves it running
sac attach demo                     # everything is there again, from its first byte
sac attach demo --take              # the same from another place: take the keyboard over
sac delete demo
