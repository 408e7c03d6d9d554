sac run shell . --name boxed --executor docker --detach   # the first time, its image is pulled
sac exec boxed -- sh -c 'echo "process $$ of a container, in $PWD"; touch from-the-container'
ls -l from-the-container                                  # this folder is mounted: the file is yours
sac describe boxed                                        # where it runs, and how it is
sac delete boxed                                          # the container goes, the folder stays
