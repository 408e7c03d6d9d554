sac targets create fast --executor process --set folder="$PWD/fast" --label disk=ssd
sac targets create slow --executor process --set folder="$PWD/slow" --set nice=10
sac targets list
sac run shell --detach --name demo --executor process/fast
sac targets describe fast
sac targets set-default slow     # new agents of this executor go there, if they name no target
sac run shell --detach --name other
sac exec other -- sh -c 'nice'
sac delete demo other
sac targets set-default default --executor process
sac targets delete fast
sac targets delete slow
