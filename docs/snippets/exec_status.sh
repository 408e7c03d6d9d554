sac run shell --name demo --detach
printf 'one\ntwo\n' | sac exec demo -- wc -l
sac exec demo -e GREETING=hi --cwd / -- sh -c 'echo "$GREETING from $(pwd)"'
sac exec demo -- sh -c 'exit 3' || echo "exit status $?"
sac delete demo
