// Package tables serves a stage's DynamoDB tables from memory. They are empty
// when the stage starts and gone when it stops.
//
//	server, err := tables.New(model.Tables)
//	...
//	status, answer, served := server.Serve("GetItem", body)
//
// The engine is github.com/truora/minidyn. What it would ignore or answer
// wrongly, and so could let a function work here that fails on AWS, or the
// other way round, is refused with its name: [Server.Serve].
package tables

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/truora/minidyn/server"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Server answers operations of DynamoDB's JSON protocol on a fixed set of
// tables. It is safe for concurrent use: operations run one after the other,
// so each is atomic and every read is consistent.
type Server struct {
	mu      sync.Mutex // the engine locks some of its operations only
	engine  *server.Server
	tables  map[string]*assembly.Table
	created time.Time
}

// New creates the tables. It fails where the engine does not take one.
func New(tables []*assembly.Table) (*Server, error) {
	s := &Server{engine: server.NewServer(), tables: map[string]*assembly.Table{}, created: time.Now()}
	for _, t := range tables {
		s.tables[t.Name] = t
		request, err := json.Marshal(definition(t))
		if err != nil {
			return nil, err
		}
		if status, answer := s.run("CreateTable", request); status != http.StatusOK {
			return nil, fmt.Errorf("%s: create the table: %s", t.Path, answer)
		}
	}
	return s, nil
}

// Names returns the tables' names, in order.
func (s *Server) Names() []string { return slices.Sorted(maps.Keys(s.tables)) }

// tableOrIndex is the name of one ("Naming rules", Amazon DynamoDB).
var tableOrIndex = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// Resources names the tables of an operation, or the index of a Query or Scan
// ("Actions, resources, and condition keys for Amazon DynamoDB", service
// authorization reference). A body that cannot be read, which [Server.Serve]
// refuses, could mean any table.
func (s *Server) Resources(operation string, body []byte) (resources []string, served bool) {
	if _, known := parameters[operation]; !known {
		return nil, false
	}
	var r request
	if operation == "ListTables" || json.Unmarshal(body, &r) != nil {
		return []string{"*"}, true
	}
	for _, name := range r.requested() {
		if !tableOrIndex.MatchString(name) || r.IndexName != "" && !tableOrIndex.MatchString(r.IndexName) {
			return []string{"*"}, true
		}
		resource := "table/" + name
		if r.IndexName != "" {
			resource += "/index/" + r.IndexName
		}
		resources = append(resources, resource)
	}
	return resources, true
}

// Serve answers one operation of the API version 2012-08-10. served is false
// where the operation is not served here; everything else is a status and a
// JSON document as DynamoDB writes them. A parameter that is not served is a
// ValidationException that names it.
func (s *Server) Serve(operation string, body []byte) (status int, answer []byte, served bool) {
	allowed, known := parameters[operation]
	if !known {
		return 0, nil, false
	}
	var r request
	if problem := r.read(body, allowed); problem != "" {
		status, answer = refuse("ValidationException", problem)
		return status, answer, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "ListTables":
		status, answer = s.list(r)
	case "DescribeTable":
		status, answer = s.describe(r)
	default:
		status, answer = s.item(operation, r, body)
	}
	return status, answer, true
}

// item runs an operation on items.
func (s *Server) item(operation string, r request, body []byte) (int, []byte) {
	for _, name := range r.requested() {
		table, ok := s.tables[name]
		if !ok {
			return refuse("ResourceNotFoundException", "Requested resource not found")
		}
		if r.IndexName != "" && !slices.ContainsFunc(table.Indexes, func(i assembly.TableIndex) bool { return i.Name == r.IndexName }) {
			return refuse("ValidationException", "The table does not have the specified index: "+r.IndexName)
		}
		if problem := r.check(operation, table); problem != "" {
			return refuse("ValidationException", problem)
		}
	}
	if r.ExclusiveStartKey != nil {
		restore, problem := s.holdPlace(r)
		if problem != "" {
			return refuse("ValidationException", problem)
		}
		defer restore()
	}
	status, answer := s.run(operation, body)
	if operation == "PutItem" && status == http.StatusOK {
		answer = []byte("{}") // the engine answers the new item, whatever was asked for
	}
	return status, answer
}

// holdPlace makes sure that there is an item at the key where a page starts.
// The engine looks for it and finds the page empty where it has been deleted
// since; DynamoDB goes on behind its place.
func (s *Server) holdPlace(r request) (restore func(), problem string) {
	table := s.tables[r.TableName]
	key := map[string]any{}
	for _, name := range []string{table.Key.Hash, table.Key.Range} {
		if value, ok := r.ExclusiveStartKey[name]; ok {
			key[name] = value
		}
	}
	get, err := json.Marshal(map[string]any{"TableName": r.TableName, "Key": key})
	if err != nil {
		return nil, "The provided starting key is invalid"
	}
	status, found := s.run("GetItem", get)
	switch {
	case status != http.StatusOK:
		return nil, "The provided starting key is invalid"
	case bytes.Contains(found, []byte(`"Item":`)):
		return func() {}, ""
	}
	put, err := json.Marshal(map[string]any{"TableName": r.TableName, "Item": r.ExclusiveStartKey})
	if err != nil {
		return nil, "The provided starting key is invalid"
	}
	if status, _ := s.run("PutItem", put); status != http.StatusOK {
		return nil, "The provided starting key is invalid"
	}
	return func() { s.run("DeleteItem", get) }, ""
}

// run hands a request to the engine. A panic of the engine's is an error of
// its own and must not take the stage down.
func (s *Server) run(operation string, body []byte) (status int, answer []byte) {
	defer func() {
		if recover() != nil {
			status, answer = refuse("InternalServerError", "The local DynamoDB server failed.")
		}
	}()
	r, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body)) //nolint:noctx // nothing waits in it
	if err != nil {
		return refuse("InternalServerError", "The local DynamoDB server failed.")
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	w := &recorder{status: http.StatusOK}
	s.engine.ServeHTTP(w, r)
	return w.status, bytes.TrimSpace(w.body.Bytes())
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

var _ http.ResponseWriter = (*recorder)(nil)

func (w *recorder) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(data []byte) (int, error) { return w.body.Write(data) }

// refuse writes an error as DynamoDB does ("Error handling with DynamoDB").
func refuse(code, message string) (int, []byte) {
	status := http.StatusBadRequest
	if code == "InternalServerError" {
		status = http.StatusInternalServerError
	}
	body, _ := json.Marshal(map[string]string{ // strings always marshal
		"__type":  "com.amazonaws.dynamodb.v20120810#" + strings.TrimSpace(code),
		"message": message,
	})
	return status, body
}
