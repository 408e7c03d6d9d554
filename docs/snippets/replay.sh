sac run shell --name demo --detach --recording best_effort -- sh -c 'echo hello; sleep 1; echo bye' | tee names
session=$(sed -n 's|^session/||p' names)
sleep 3
sac recordings demo                      # what there is
sac replay "$session"                    # plays it in this terminal; Ctrl-C ends it
sac replay "$session" --speed 4 --idle-limit 0.5
sac replay "$session" --output demo.cast
sac delete demo                          # the recording stays
