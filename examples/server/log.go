package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/patkit/pat"
)

// logEvent returns a hook that writes one line per event. Events hold ids and reasons, and no token values.
func logEvent(logger *slog.Logger) func(context.Context, pat.Event) {
	return func(ctx context.Context, event pat.Event) {
		attrs := []slog.Attr{slog.String("type", string(event.Type))}
		for _, field := range []struct{ name, value string }{
			{"token", event.TokenID},
			{"user", event.UserID},
			{"group", event.GroupID},
			{"successor", event.SuccessorID},
		} {
			if field.value != "" {
				attrs = append(attrs, slog.String(field.name, field.value))
			}
		}
		level := slog.LevelInfo
		if event.Reason != nil {
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("reason", event.Reason.Error()))
		}
		logger.LogAttrs(ctx, level, "token event", attrs...)
	}
}

// logFault returns a function that writes the cause of a 500, which the client is not told. Of the request it writes
// the method and the route, and nothing that the client chose: a path, a query string or a header may hold a token, by
// mistake or by design.
func logFault(logger *slog.Logger) func(*http.Request, error) {
	return func(r *http.Request, err error) {
		logger.LogAttrs(r.Context(), slog.LevelError, "internal error",
			slog.String("method", r.Method), slog.String("route", r.Pattern), slog.String("error", err.Error()))
	}
}
