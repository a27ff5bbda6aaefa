package main

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/patkit/pat/httpadapter"
)

// This file is a DEMO. It stands for what a real service has of its own: sessions, groups, and who may do what. It is
// fixed, so that scripts can rely on it.

// demoSessions are the bearer credentials of the host, and the users behind them.
func demoSessions() map[string]string {
	return map[string]string{
		"alice-session": "alice",
		"bob-session":   "bob",
		"carol-session": "carol",
	}
}

// demoRights says what a user may do in a group. Nobody may do anything in group 3, and carol nothing anywhere.
func demoRights(userID, groupID string) []httpadapter.Action {
	switch {
	case userID == "alice" && (groupID == "1" || groupID == "2"):
		return []httpadapter.Action{httpadapter.ActionList, httpadapter.ActionCreate, httpadapter.ActionRevoke}
	case userID == "bob" && groupID == "2":
		return []httpadapter.Action{httpadapter.ActionList}
	}
	return nil
}

// demoGroupExists knows three groups.
func demoGroupExists(groupID string) bool {
	return slices.Contains([]string{"1", "2", "3"}, groupID)
}

// authenticate is the httpadapter's question "who is calling?". A real host checks its session or JWT here. The adapter
// made sure that there is exactly one Authorization header, of the scheme Bearer.
func authenticate(r *http.Request) (httpadapter.Caller, error) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	userID, ok := demoSessions()[strings.TrimSpace(credential)]
	if !ok {
		return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
	}
	return httpadapter.Caller{UserID: userID}, nil
}

// authorize is the httpadapter's question "may they?". A real host asks its database here.
func authorize(_ context.Context, caller httpadapter.Caller, action httpadapter.Action, target httpadapter.Target) error {
	if !demoGroupExists(target.GroupID) {
		return httpadapter.ErrGroupNotFound
	}
	if !slices.Contains(demoRights(caller.UserID, target.GroupID), action) {
		return httpadapter.ErrForbidden
	}
	return nil
}

// ownerActive is the verifier's question "is the token's owner still there, and still in the group?". A host that takes
// someone out of a group ends their tokens there by it.
func ownerActive(_ context.Context, userID, groupID string) (bool, error) {
	return demoRights(userID, groupID) != nil, nil
}
