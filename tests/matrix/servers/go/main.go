// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A server of the Go SDK: matrix stateful|stateless|json|colour|sse|bearer. With bearer, the token is in the environment.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

type place struct {
	City string `json:"city"`
}

type measurement struct {
	Temperature float64 `json:"temperature"`
}

type nothing struct{}

func text(value string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: value}}}
}

func weather(options *mcp.ServerOptions) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.2.0"}, options)
	mcp.AddTool(server, &mcp.Tool{Name: "forecast"}, func(_ context.Context, _ *mcp.CallToolRequest, in place) (*mcp.CallToolResult, any, error) {
		return text(in.City + ": rain"), nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "broken"}, func(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, any, error) {
		return nil, nil, errors.New("the sensor is broken")
	})
	mcp.AddTool(server, &mcp.Tool{Name: "measure"}, func(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, measurement, error) {
		return nil, measurement{21.5}, nil
	})
	for number := range 7 {
		mcp.AddTool(server, &mcp.Tool{Name: fmt.Sprintf("station_%d", number)}, func(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, any, error) {
			return text("ok"), nil, nil
		})
	}
	say := func(_ context.Context, request *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: request.Params.Name}}}}, nil
	}
	server.AddPrompt(&mcp.Prompt{Name: "greet"}, say)
	server.AddPrompt(&mcp.Prompt{Name: "brief", Arguments: []*mcp.PromptArgument{{Name: "city", Required: true}}}, say)
	read := func(_ context.Context, request *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: request.Params.URI, Text: "rain"}}}, nil
	}
	server.AddResource(&mcp.Resource{Name: "stations", URI: "weather://stations"}, read)
	server.AddResourceTemplate(&mcp.ResourceTemplate{Name: "forecast_of", URITemplate: "weather://forecast/{city}"}, read)
	return server
}

func handler(mode string, server *mcp.Server, address string) http.Handler {
	serve := func(*http.Request) *mcp.Server { return server }
	mux := http.NewServeMux()
	mux.Handle("/sse", mcp.NewSSEHandler(serve, nil))
	var streamable http.Handler = mcp.NewStreamableHTTPHandler(serve, &mcp.StreamableHTTPOptions{Stateless: mode == "stateless", JSONResponse: mode == "json"})
	if mode == "bearer" {
		verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
			if token != os.Getenv("MATRIX_TOKEN") {
				return nil, auth.ErrInvalidToken
			}
			return &auth.TokenInfo{Expiration: time.Now().Add(time.Hour)}, nil
		}
		const metadata = "/.well-known/oauth-protected-resource"
		mux.Handle(metadata, auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
			Resource: "http://" + address + "/mcp", AuthorizationServers: []string{"https://login.example"},
		}))
		streamable = auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{ResourceMetadataURL: "http://" + address + metadata})(streamable)
	}
	mux.Handle("/mcp", streamable)
	return mux
}

// As servers/python/serve.py does.
func main() {
	mode := os.Args[1]
	options := &mcp.ServerOptions{PageSize: 4}
	if mode == "colour" {
		options.GetSessionID = func() string { return "blue-" + rand.Text() }
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := weather(options)
	app := handler(mode, server, listener.Addr().String())
	var requests, open atomic.Int64
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/sessions" {
			sessions := 0
			for range server.Sessions() {
				sessions++
			}
			_ = json.NewEncoder(response).Encode(map[string]int64{"sessions": int64(sessions), "requests": requests.Load(), "open": open.Load()})
			return
		}
		requests.Add(1)
		open.Add(1)
		defer open.Add(-1)
		app.ServeHTTP(response, request)
	})))
}
