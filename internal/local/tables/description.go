package tables

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
)

// definition is the CreateTable request that makes a table.
func definition(t *assembly.Table) map[string]any {
	d := map[string]any{
		"TableName":            t.Name,
		"AttributeDefinitions": attributes(t),
		"KeySchema":            schema(t.Key),
		"BillingMode":          billing(t),
	}
	capacity := map[string]any{"ReadCapacityUnits": t.ReadCapacity, "WriteCapacityUnits": t.WriteCapacity}
	if !t.OnDemand {
		d["ProvisionedThroughput"] = capacity
	}
	for _, i := range t.Indexes {
		index := indexDefinition(i)
		kind := "GlobalSecondaryIndexes"
		if i.Local {
			kind = "LocalSecondaryIndexes"
		} else if !t.OnDemand {
			index["ProvisionedThroughput"] = capacity
		}
		list, _ := d[kind].([]any)
		d[kind] = append(list, index)
	}
	return d
}

func attributes(t *assembly.Table) []any {
	var list []any
	for _, name := range slices.Sorted(maps.Keys(t.Attributes)) {
		list = append(list, map[string]string{"AttributeName": name, "AttributeType": t.Attributes[name]})
	}
	return list
}

func schema(k assembly.TableKey) []any {
	list := []any{map[string]string{"AttributeName": k.Hash, "KeyType": "HASH"}}
	if k.Range != "" {
		list = append(list, map[string]string{"AttributeName": k.Range, "KeyType": "RANGE"})
	}
	return list
}

func indexDefinition(i assembly.TableIndex) map[string]any {
	projection := map[string]any{"ProjectionType": i.Projection}
	if len(i.Included) > 0 {
		projection["NonKeyAttributes"] = i.Included
	}
	return map[string]any{"IndexName": i.Name, "KeySchema": schema(i.Key), "Projection": projection}
}

func billing(t *assembly.Table) string {
	if t.OnDemand {
		return "PAY_PER_REQUEST"
	}
	return "PROVISIONED"
}

// describe answers DescribeTable from the template. The engine knows neither
// ARNs nor states.
func (s *Server) describe(r request) (int, []byte) {
	t, ok := s.tables[r.TableName]
	if !ok {
		return refuse("ResourceNotFoundException", "Requested resource not found: Table: "+r.TableName+" not found")
	}
	d := definition(t)
	delete(d, "BillingMode")
	d["TableStatus"], d["TableArn"], d["CreationDateTime"] = "ACTIVE", t.ARN, s.created.Unix()
	d["DeletionProtectionEnabled"] = t.DeletionProtection
	d["ProvisionedThroughput"] = map[string]any{"ReadCapacityUnits": t.ReadCapacity, "WriteCapacityUnits": t.WriteCapacity, "NumberOfDecreasesToday": 0}
	if t.OnDemand {
		d["BillingModeSummary"] = map[string]string{"BillingMode": billing(t)}
	}
	for _, kind := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
		list, _ := d[kind].([]any)
		for _, member := range list {
			index := member.(map[string]any)
			index["IndexArn"] = t.ARN + "/index/" + index["IndexName"].(string)
			if kind == "GlobalSecondaryIndexes" {
				index["IndexStatus"] = "ACTIVE"
			}
		}
	}
	return answerJSON(map[string]any{"Table": d})
}

// maxListed is how many names one ListTables returns ("ListTables", Amazon
// DynamoDB API reference).
const maxListed = 100

func (s *Server) list(r request) (int, []byte) {
	limit := maxListed
	if r.Limit != nil {
		limit = *r.Limit
	}
	if limit < 1 || limit > maxListed {
		return refuse("ValidationException", "Limit must be from 1 to 100")
	}
	names := slices.DeleteFunc(append([]string{}, s.Names()...), func(name string) bool { return name <= r.ExclusiveStartTableName })
	answer := map[string]any{"TableNames": names}
	if len(names) > limit {
		answer["TableNames"], answer["LastEvaluatedTableName"] = names[:limit], names[limit-1]
	}
	return answerJSON(answer)
}

func answerJSON(value any) (int, []byte) {
	body, err := json.Marshal(value)
	if err != nil {
		return refuse("InternalServerError", "The local DynamoDB server failed.")
	}
	return http.StatusOK, body
}
