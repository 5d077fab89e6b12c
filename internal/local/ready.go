package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/internal/assembly"
)

// Ready describes a running stage to other programs. It holds credentials that
// are good for this run only.
type Ready struct {
	Stage          string         `json:"stage"`
	Region         string         `json:"region"`
	Account        string         `json:"account"`
	API            string         `json:"api"`
	Auth           string         `json:"auth"`
	AWS            string         `json:"aws"`
	Site           string         `json:"site,omitempty"`
	APIID          string         `json:"apiId"`
	APIStage       string         `json:"apiStage"`
	AWSCredentials AWSCredentials `json:"awsCredentials"`
	UserPools      []UserPool     `json:"userPools"`
	IdentityPools  []string       `json:"identityPools"`
	Tables         []string       `json:"tables"`
	CustomerTable  *CustomerTable `json:"customerTable,omitempty"`
	APIKeys        []APIKey       `json:"apiKeys"`
	Users          []User         `json:"users"`
	Customers      []Customer     `json:"customers"`
	Routes         []Route        `json:"routes"`
}

// AWSCredentials open the AWS endpoint to an SDK or the AWS CLI.
type AWSCredentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// UserPool is a pool and its clients.
type UserPool struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Issuer  string   `json:"issuer"`
	JWKSURI string   `json:"jwksUri"`
	Clients []Client `json:"clients"`
}

// User is somebody who can sign in, with a password of this run.
type User struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// CustomerTable is where the API's customers are kept, and what their keys look
// like.
type CustomerTable struct {
	Name   string   `json:"name"`   // of the DynamoDB table
	Prefix string   `json:"prefix"` // that keys begin with
	Tag    string   `json:"tag"`    // of the stage, in keys
	Scopes []string `json:"scopes"` // that some route takes of a key
	// KeyHeader is set where keys may come in x-api-key, too.
	KeyHeader bool `json:"keyHeader"`
}

// Customer is somebody with a static credential of this run.
type Customer struct {
	ID            string `json:"id"`
	Key           string `json:"key"`
	BasicUser     string `json:"basicUser"`
	BasicPassword string `json:"basicPassword"`
}

// Client is an app client of a pool.
type Client struct {
	Name      string   `json:"name"`
	ID        string   `json:"id"`
	Secret    string   `json:"secret,omitempty"`
	Flows     []string `json:"flows"`
	Scopes    []string `json:"scopes"`
	Callbacks []string `json:"callbacks"`

	// Lifetime of its access tokens, for the banner.
	Lifetime time.Duration `json:"-"`
}

// APIKey is an enabled API key that opens the served stage: the template's own
// value, or one that is good for this run.
type APIKey struct {
	Name  string   `json:"name"`
	ID    string   `json:"id"`
	Value string   `json:"value"`
	Plans []string `json:"plans"` // names of the usage plans by which it does
}

// Route is a route and who may call it: "public", or what it asks for.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Access string `json:"access"`
}

// apiURL is where the API's paths begin: behind the base path of its custom
// domain, where it has one.
func (s *stage) apiURL() string {
	url := s.ports.api.url()
	for _, domain := range s.api.Domains {
		if domain.Stage == s.apiStage.Name && domain.BasePath != "" {
			return url + "/" + domain.BasePath
		}
	}
	return url
}

// otherStages are the URLs of the API's stages that its own does not serve.
func (s *stage) otherStages() []string {
	var urls []string
	for _, other := range s.api.Stages[1:] {
		if !s.api.ExecuteAPIDisabled {
			urls = append(urls, "http://"+s.executeHost()+"/"+other.Name)
		}
	}
	return urls
}

// ready describes the stage.
func (s *stage) ready() Ready {
	operator := s.aws.Operator()
	r := Ready{
		Stage: s.model.Stage, Region: s.api.Region, Account: s.api.Account,
		API: s.apiURL(), Auth: s.ports.auth.url(), AWS: s.ports.aws.url(),
		APIID: s.api.ID, APIStage: s.apiStage.Name,
		AWSCredentials: AWSCredentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: operator.SecretAccessKey},
		UserPools:      []UserPool{}, IdentityPools: []string{}, Tables: notNil(s.tables.Names()), APIKeys: s.openKeys(), Users: notNil(s.users), Customers: notNil(s.customers),
		CustomerTable: s.customerTable(),
	}
	for _, pool := range s.model.UserPools {
		described := UserPool{ID: pool.ID, Name: pool.Name, Issuer: pool.Issuer, JWKSURI: pool.Issuer + "/.well-known/jwks.json", Clients: []Client{}}
		for _, client := range pool.Clients {
			described.Clients = append(described.Clients, Client{
				Name: client.Name, ID: client.ID, Secret: s.cognito.Secret(client.ID),
				Lifetime: client.AccessTokenLifetime,
				Flows:    notNil(client.Flows), Scopes: notNil(client.Scopes), Callbacks: notNil(client.Callbacks),
			})
		}
		r.UserPools = append(r.UserPools, described)
	}
	if s.site != nil {
		r.Site = s.siteURL()
	}
	for _, route := range s.callable() {
		r.Routes = append(r.Routes, Route{Method: route.Method, Path: route.Path, Access: describe(route)})
	}
	return r
}

// notNil makes an empty list of none, which JSON would write as null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// describe says who may call, in the words of package access where it has them.
func describe(r assembly.Route) string {
	who := r.Authorization.Type
	switch r.Authorization.Type {
	case assembly.AuthorizationNone:
		if r.APIKeyRequired {
			return "API key"
		}
		return string(access.KindPublic)
	case assembly.AuthorizationCognito:
		who = "any ID token"
		if len(r.Authorization.Scopes) > 0 {
			who = access.Scopes(r.Authorization.Scopes...).String()
		}
	case assembly.AuthorizationCustom:
		who = "what authorizer " + r.Authorization.Authorizer.Name + " decides"
		if rules := r.Authorization.Rules; rules != nil {
			who = ruleOf(rules).String()
		}
	case assembly.AuthorizationIAM:
		who = "AWS_IAM signature (refused for now)"
	}
	if r.APIKeyRequired {
		who += " and API key"
	}
	return who
}

// ruleOf puts what the Lambda authorizer goes by in the terms of package access.
func ruleOf(rules *assembly.CallerRules) access.Rule {
	var any []access.Rule
	for _, token := range rules.Tokens {
		rule := access.Scopes(token.Scopes...)
		if len(token.Issuers) == 0 {
			rule = rule.From(token.Clients...)
		}
		any = append(any, rule)
	}
	if len(rules.Key) > 0 {
		any = append(any, access.Key(rules.Key...))
	}
	if len(any) == 1 {
		return any[0]
	}
	return access.AnyOf(any...)
}

// announce writes the ready files and the banner. It returns how to take back
// what it wrote, whether it fails or not.
func (s *stage) announce() (remove func(), err error) {
	ready := s.ready()
	data, err := json.MarshalIndent(ready, "", " ")
	if err != nil {
		return func() {}, err
	}
	var files []string
	state := filepath.Join(s.config.StateDir, fileName(s.model.Stage)+".json")
	unlock, owned, err := lock(state + ".lock")
	if err != nil {
		return func() {}, err
	}
	if owned {
		files = append(files, state)
	} else {
		s.log.Warn("this stage is served from this folder already; the state file stays the other run's", "file", state)
	}
	if s.config.ReadyFile != "" {
		files = append(files, s.config.ReadyFile)
	}
	remove = func() {
		removeOwn(files, data)
		unlock()
	}
	for _, file := range files {
		if err := writePrivate(file, data); err != nil {
			return remove, fmt.Errorf("write the ready file: %w", err)
		}
	}
	return remove, s.banner(ready)
}

// lock makes one run at a time the owner of a stage's state file. A lock ends
// with the process that holds it.
func lock(file string) (unlock func(), owned bool, err error) {
	if err := privateDir(filepath.Dir(file)); err != nil {
		return nil, false, err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, false, err
	}
	unlock = func() {
		// Closing is not enough: a child that is just being started holds the
		// descriptor until it runs its program.
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) //nolint:gosec // a descriptor fits an int
		_ = f.Close()
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor fits an int
	if errors.Is(err, syscall.EWOULDBLOCK) {
		unlock()
		return func() {}, false, nil
	}
	return unlock, err == nil, err
}

// privateDir makes a folder that nobody else may read. One that points
// elsewhere may have come with somebody's repository, to have credentials
// written where others read them.
func privateDir(dir string) error {
	if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link; remove it", dir)
	}
	return os.MkdirAll(dir, 0o700)
}

var notInFileName = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// fileName makes a stage's id, "prod/eu" in nested Stages, fit a file's name.
func fileName(stage string) string { return notInFileName.ReplaceAllString(stage, "-") }

// writePrivate replaces a file in one step; nobody else may read it.
func writePrivate(file string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// removeOwn removes the files that still say what this run wrote.
func removeOwn(files []string, data []byte) {
	for _, file := range files {
		if now, err := os.ReadFile(file); err == nil && bytes.Equal(now, data) {
			_ = os.Remove(file)
		}
	}
}
