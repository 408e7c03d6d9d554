sac plugins
sac run shell --name hut --executor cabin --detach
sac exec hut -- sh -c 'echo "a process of $SAC_BODY"'
sac describe hut
sac delete hut
sac down
