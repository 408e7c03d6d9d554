sac run shell . --name demo --detach        # an agent that works in this folder, and a terminal in it
sac get agents                              # what there is
sac exec demo -- sh -c 'echo hello; uname'  # a command: its output, its errors, its exit status
sac describe demo                           # everything about it
sac delete demo                             # end it, with its terminals; the folder stays
