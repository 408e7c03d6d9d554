echo 'Run the tests before you say that you are done.' > instructions.md
mkdir -p skills/review
echo 'Read the whole change first.' > skills/review/SKILL.md
sac run shell --name demo --detach --git https://git.example.org/team/project.git --ref v1 \
  --instructions instructions.md --skill skills/review/SKILL.md
sac exec demo -- cat README.md AGENTS.md skills/review/SKILL.md
sac describe demo
sac delete demo
