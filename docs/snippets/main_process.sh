cat > agent.json <<'JSON'
{
  "metadata": {"name": "ticker"},
  "spec": {"runtime": "shell", "command": ["sh", "-c", "for n in 1 2 3; do echo $n; done; sleep 3600"]}
}
JSON
curl -sS -o /dev/null -H "Authorization: Bearer $SAC_TOKEN" -H "Content-Type: application/json" \
  "$SAC_SERVER/api/v1/agents" -d @agent.json
sac start ticker --wait
sac logs ticker
sac delete ticker
