api=$SAC_SERVER/api/v1
authorization="Authorization: Bearer $SAC_TOKEN"
json="Content-Type: application/json"

curl -sS -H "$authorization" -H "$json" "$api/agents" -d '{"metadata": {"name": "demo"}, "spec": {"runtime": "shell"}}'
sac get agent demo -o name
curl -sS -H "$authorization" "$api/agents?fieldSelector=metadata.name=demo"
curl -sS -H "$authorization" -X DELETE "$api/agents/demo"
