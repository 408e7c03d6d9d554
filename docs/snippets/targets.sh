sac targets create fast --executor process --set folder="$PWD/fast" --label disk=ssd
sac run shell --detach --name demo --executor process/fast
sac targets describe fast
sac targets set-default fast     # new agents that name this executor alone go there
sac targets set-default default --executor process
sac delete demo
sac targets delete fast
