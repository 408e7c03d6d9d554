printf 'not-a-real-key\n' | sac secrets put claude   # typed at a prompt, when nothing is piped in
sac run claude-code --name coder --detach \
  --option apiKey=claude --option model=sonnet --option 'allowedTools=["Edit", "Bash(git diff:*)"]'
sac exec coder -- sh -c 'test -n "$ANTHROPIC_API_KEY" && claude --version'
sac delete coder
