printf 'not-a-real-token\n' | sac secrets put github   # typed at a prompt, when nothing is piped in
sac secrets get github
cat > agent.json <<'JSON'
{
  "metadata": {"name": "worker"},
  "spec": {
    "secrets": [
      {"name": "github", "env": "GITHUB_TOKEN"},
      {"name": "github", "file": "git/token"}
    ]
  }
}
JSON
curl -sS -o /dev/null -H "Authorization: Bearer $SAC_TOKEN" -H "Content-Type: application/json" \
  "$SAC_SERVER/api/v1/agents" -d @agent.json
sac start worker --wait
sac exec worker -- sh -c 'wc -c < "$SAC_SECRETS_DIR/git/token"; test -n "$GITHUB_TOKEN" && echo "the variable is there"'
sac delete worker
sac secrets delete github
