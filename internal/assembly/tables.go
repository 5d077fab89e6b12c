package assembly

import (
	"maps"
	"slices"
)

// Table is an AWS::DynamoDB::Table.
type Table struct {
	Place
	Name      string
	ARN       string
	StreamARN string // empty without a stream

	Attributes map[string]string // type ("S", "N" or "B") of each attribute that is part of a key
	Key        TableKey
	Indexes    []TableIndex // global ones first, each kind in the template's order

	OnDemand                    bool // PAY_PER_REQUEST; else the two capacities hold
	ReadCapacity, WriteCapacity int  // units a second
	DeletionProtection          bool
}

// TableKey names the attributes of a key.
type TableKey struct {
	Hash  string
	Range string // empty where the key has one attribute
}

// TableIndex is a secondary index of a table.
type TableIndex struct {
	Name       string
	Local      bool
	Key        TableKey
	Projection string   // "ALL", "KEYS_ONLY" or "INCLUDE"
	Included   []string // further attributes, for INCLUDE
}

// tableProperties are read, or decide nothing about what a table answers while
// a stage runs for an hour: backups, capacity, encryption and, because AWS
// deletes expired items within days only, expiry. What is not listed stops
// the stage: a ResourcePolicy says who may read, an import fills the table.
var tableProperties = []string{
	"AttributeDefinitions", "BillingMode", "ContributorInsightsSpecification", "DeletionProtectionEnabled",
	"GlobalSecondaryIndexes", "KeySchema", "KinesisStreamSpecification", "LocalSecondaryIndexes",
	"OnDemandThroughput", "PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification",
	"StreamSpecification", "TableClass", "TableName", "Tags", "TimeToLiveSpecification", "WarmThroughput",
}

func (r *reader) readTable(s *stack, id string) {
	p, ok := r.properties(s, id)
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !slices.Contains(tableProperties, name) {
			r.problem(p.at, "property %s is not understood", name)
		}
	}
	name := r.physicalID(s, id)
	t := &Table{
		Place:              s.place(id),
		Name:               name,
		ARN:                s.tableARN(name),
		Attributes:         map[string]string{},
		Key:                p.tableKey(),
		OnDemand:           p.text("BillingMode") == "PAY_PER_REQUEST", // PROVISIONED by default
		ReadCapacity:       p.object("ProvisionedThroughput").int("ReadCapacityUnits", 0),
		WriteCapacity:      p.object("ProvisionedThroughput").int("WriteCapacityUnits", 0),
		DeletionProtection: p.bool("DeletionProtectionEnabled"),
	}
	if _, streams := p.values["StreamSpecification"]; streams {
		t.StreamARN = s.streamARN(id, t.Name)
	}
	for _, attribute := range p.objects("AttributeDefinitions") {
		t.Attributes[attribute.text("AttributeName")] = attribute.text("AttributeType")
	}
	for _, index := range p.objects("GlobalSecondaryIndexes") {
		t.Indexes = append(t.Indexes, index.tableIndex(false))
	}
	for _, index := range p.objects("LocalSecondaryIndexes") {
		t.Indexes = append(t.Indexes, index.tableIndex(true))
	}
	r.checkTable(t)
	r.model.Tables = append(r.model.Tables, t)
}

// checkTable reports what no DynamoDB would create ("CreateTable", Amazon
// DynamoDB API reference).
func (r *reader) checkTable(t *Table) {
	if !t.OnDemand && (t.ReadCapacity < 1 || t.WriteCapacity < 1) {
		r.problem(t.Path, "no ProvisionedThroughput, and BillingMode is not PAY_PER_REQUEST")
	}
	if slices.ContainsFunc(r.model.Tables, func(other *Table) bool { return other.Name == t.Name }) {
		r.problem(t.Path, "another table of the stage is named %q, too", t.Name)
	}
	r.checkKey(t, t.Path, t.Key)
	seen := map[string]bool{}
	for _, index := range t.Indexes {
		at := t.Path + " index " + index.Name
		if index.Name == "" || seen[index.Name] {
			r.problem(at, "an index needs a name of its own")
		}
		seen[index.Name] = true
		if index.Local && (index.Key.Hash != t.Key.Hash || index.Key.Range == "") {
			r.problem(at, "a local index has the table's hash key and a range key")
		}
		if !slices.Contains([]string{"ALL", "KEYS_ONLY", "INCLUDE"}, index.Projection) {
			r.problem(at, "ProjectionType is %q; ALL, KEYS_ONLY or INCLUDE", index.Projection)
		}
		r.checkKey(t, at, index.Key)
	}
}

func (r *reader) checkKey(t *Table, at string, key TableKey) {
	if key.Hash == "" {
		r.problem(at, "KeySchema has no HASH key")
	}
	for _, name := range []string{key.Hash, key.Range} {
		if kind := t.Attributes[name]; name != "" && !slices.Contains([]string{"S", "N", "B"}, kind) {
			r.problem(at, "the key attribute %q is not in AttributeDefinitions as S, N or B", name)
		}
	}
}

// tableKey reads the KeySchema of a table or an index. One that cannot be read
// whole has no hash key.
func (p props) tableKey() TableKey {
	var key TableKey
	schema := p.objects("KeySchema")
	for _, element := range schema {
		name := element.text("AttributeName")
		switch kind := element.text("KeyType"); {
		case kind == "HASH" && key.Hash == "":
			key.Hash = name
		case kind == "RANGE" && key.Range == "":
			key.Range = name
		default:
			p.reader.problem(p.at, "KeySchema: %q is a %q key; one HASH and at most one RANGE are understood", name, kind)
			return TableKey{}
		}
	}
	return key
}

func (p props) tableIndex(local bool) TableIndex {
	projection := p.object("Projection")
	return TableIndex{
		Name: p.text("IndexName"), Local: local, Key: p.tableKey(),
		Projection: projection.text("ProjectionType"), Included: projection.texts("NonKeyAttributes"),
	}
}

func (s *stack) tableARN(name string) string { return s.arn("dynamodb", "table/"+name) }

// streamARN ends with the time that the stream was made at.
func (s *stack) streamARN(id, table string) string {
	return s.tableARN(table) + "/stream/2026-01-01T00:00:00." + s.fake("0123456789", 3, id)
}
