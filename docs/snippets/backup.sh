sac run shell --name demo --detach
sac stop demo --wait   # so that the files of its working folder are at rest
sac down               # so that the server's files are
tar -C "$SAC_DATA_DIR" --exclude='*.sock' -czf sac-backup.tar.gz .
tar -tzf sac-backup.tar.gz
sac get agents -o name # any command starts the server again
