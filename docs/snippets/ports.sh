cat > agent.json <<'JSON'
{
  "metadata": {"name": "site"},
  "spec": {
    "runtime": "shell",
    "command": ["python3", "-m", "http.server", "8013", "--bind", "127.0.0.1"],
    "ports": [{"name": "web", "port": 8013}]
  }
}
JSON
curl -sS -o /dev/null -H "Authorization: Bearer $SAC_TOKEN" -H "Content-Type: application/json" \
  "$SAC_SERVER/api/v1/agents" -d @agent.json
sac start site --wait

sac open site web

uid=$(sac get agent site -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)["metadata"]["uid"])')
curl -sS --retry 20 --retry-delay 1 --retry-all-errors --fail \
  -H "Authorization: Bearer $SAC_TOKEN" "http://p8013-$uid.localhost:${SAC_SERVER##*:}/"
sac delete site
