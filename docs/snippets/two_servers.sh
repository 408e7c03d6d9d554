openssl rand -base64 32 > root.key && chmod 600 root.key
export SAC_KEYS_FILE=$PWD/root.key
export SAC_PLUGINS="{\"process\": {\"folder\": \"$PWD/bodies\"}}"

sac run shell --name demo --detach --data-dir one     # starts the first server
sac exec demo --data-dir two -- echo "told by the second"
sac down --data-dir one                               # the second takes over
sac describe demo --data-dir two
sac delete demo --data-dir two
sac down --data-dir two
