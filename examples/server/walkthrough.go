package main

import (
	"net"
	"strconv"
	"strings"

	"github.com/patkit/pat/httpadapter"
)

// baseURL returns where the API is for a client on this machine.
func baseURL(addr net.Addr) string {
	host, port := "127.0.0.1", 0
	if tcp, ok := addr.(*net.TCPAddr); ok {
		port = tcp.Port
		if !tcp.IP.IsUnspecified() { // 0.0.0.0 and [::] are for listening, not for calling
			host = tcp.IP.String()
		}
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + httpadapter.DefaultBasePath
}

// walkThrough returns shell commands that walk through the API at base. They need curl and sed, work in any shell of
// the POSIX family, and leave no token behind. They explain themselves by echo, because an interactive zsh takes no
// comments.
func walkThrough(base string) string {
	return strings.ReplaceAll(walkThroughTemplate, "{base}", base)
}

const walkThroughTemplate = `
echo 'A walk through the API: paste it into a shell. Every answer is followed by its status.'
base='{base}'

echo; echo '1. Alice creates a token for group 1. Its value is in this answer and nowhere else.'
created=$(curl -sS "$base/pats" -H 'Authorization: Bearer alice-session' -H 'Content-Type: application/json' -d '{"name": "laptop", "groupId": 1, "scopes": ["public_scope"], "expiresInDays": 60}')
printf '%s\n' "$created"
token=$(printf '%s' "$created" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
id=$(printf '%s' "$created" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')

echo; echo '2. She lists the tokens of the group. No value, no secret.'
curl -sS -w ' %{http_code}\n' "$base/pats?groupId=1" -H 'Authorization: Bearer alice-session'

echo; echo '3. Anybody may ask whether a value is valid.'
curl -sS -w ' %{http_code}\n' "$base/pats/verify" -H 'Content-Type: application/json' -d "{\"token\": \"$token\"}"

echo; echo '4. A made-up value is refused, without a hint why.'
curl -sS -w ' %{http_code}\n' "$base/pats/verify" -H 'Content-Type: application/json' -d '{"token": "pat_made-up"}'

echo; echo '5. The token opens the profile routes, which need public_scope; all else would need full_scope.'
curl -sS -w ' %{http_code}\n' "$base/profile" -H "Authorization: Bearer $token"
curl -sS -w ' %{http_code}\n' -X POST "$base/profile" -H "Authorization: Bearer $token"

echo; echo '6. A token does not manage tokens.'
curl -sS -w ' %{http_code}\n' "$base/pats?groupId=1" -H "Authorization: Bearer $token"

echo; echo '7. Bob may list in group 2, but not create. Group 999 does not exist.'
curl -sS -w ' %{http_code}\n' "$base/pats?groupId=2" -H 'Authorization: Bearer bob-session'
curl -sS -w ' %{http_code}\n' "$base/pats" -H 'Authorization: Bearer bob-session' -H 'Content-Type: application/json' -d '{"name": "laptop", "groupId": 2}'
curl -sS -w ' %{http_code}\n' "$base/pats?groupId=999" -H 'Authorization: Bearer alice-session'

echo; echo '8. Alice revokes the token. From here on it is refused, and only who has it learns why.'
curl -sS -w ' %{http_code}\n' -X DELETE "$base/pats/$id" -H 'Authorization: Bearer alice-session'
curl -sS -w ' %{http_code}\n' "$base/pats/verify" -H 'Content-Type: application/json' -d "{\"token\": \"$token\"}"
`
