package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var statefulUnretained = audit.Rule{
	ID:       "stateful-unretained",
	Severity: audit.Error,
	Title:    "State of production that a deployment may delete",
	Why: "CloudFormation deletes a resource that leaves the template, whose stack is deleted, or that a change replaces: " +
		"users, tables and keys then are gone. A stage counts as production where its id, or its stack's, has the word " +
		"prod, production or live, or where the resource is tagged so. Kept are resources with the policy Retain or " +
		"Snapshot for both deletion and replacement, and those with deletion protection.",
	Fix: "Set DeletionPolicy and UpdateReplacePolicy to Retain (in the CDK: removalPolicy: RemovalPolicy.RETAIN), or " +
		"switch deletion protection on.",
	Source: audit.Source{
		Title: "DeletionPolicy attribute, AWS CloudFormation",
		URL:   "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, res := range m.Resources {
			member := res.Properties["DBClusterIdentifier"] != nil // an instance whose cluster holds the data
			if !slices.Contains(stateful, res.Type) || member || !isProduction(m, res) || isProtected(res) ||
				!m.Known(res.Place, "DeletionPolicy", "DeletionProtection", "DeletionProtectionEnabled", "UpdateReplacePolicy") {
				continue
			}
			var lost []string
			// A database leaves a snapshot by default when it is deleted.
			snapshot := res.DeletionPolicy == "" && strings.HasPrefix(res.Type, "AWS::RDS::")
			if !snapshot && !keeps(res.DeletionPolicy) {
				lost = append(lost, "deleted from the stack")
			}
			if !keeps(res.UpdateReplacePolicy) {
				lost = append(lost, "replaced")
			}
			if len(lost) > 0 {
				r.Find(res.Place, "what this %s holds is gone once it is %s", res.Type, strings.Join(lost, " or "))
			}
		}
	},
}

// stateful are the types that hold what cannot be made again.
var stateful = []string{
	"AWS::Cognito::UserPool", "AWS::DocDB::DBCluster", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table",
	"AWS::EFS::FileSystem", "AWS::KMS::Key", "AWS::Neptune::DBCluster", "AWS::OpenSearchService::Domain",
	"AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster", "AWS::S3::Bucket",
}

func keeps(policy string) bool {
	return slices.Contains([]string{"Retain", "RetainExceptOnCreate", "Snapshot"}, policy)
}

// isProtected reports whether AWS refuses to delete the resource.
func isProtected(res *assembly.Resource) bool {
	switch protection := res.Properties["DeletionProtection"].(type) {
	case string:
		return protection == "ACTIVE" || protection == "true"
	case bool:
		return protection
	}
	enabled := res.Properties["DeletionProtectionEnabled"]
	return enabled == true || enabled == "true"
}

var (
	wordPattern     = regexp.MustCompile(`[A-Z]+[a-z]*|[a-z]+`)
	productionWords = []string{"prod", "production", "live"}
	stageTags       = []string{"environment", "env", "stage"}
)

// isProduction reports whether the stage says that customers use it.
func isProduction(m *assembly.Model, res *assembly.Resource) bool {
	for _, name := range []string{m.Stage, res.Stack} {
		if slices.ContainsFunc(wordPattern.FindAllString(name, -1), saysProduction) {
			return true
		}
	}
	// Most types have a list of tags; a user pool has an object.
	tags, _ := res.Properties["Tags"].([]any)
	for _, tag := range tags {
		if pair, ok := tag.(map[string]any); ok && isProductionTag(pair["Key"], pair["Value"]) {
			return true
		}
	}
	for _, name := range []string{"Tags", "UserPoolTags"} {
		object, _ := res.Properties[name].(map[string]any)
		for key, value := range object {
			if isProductionTag(key, value) {
				return true
			}
		}
	}
	return false
}

func isProductionTag(key, value any) bool {
	name, _ := key.(string)
	stage, _ := value.(string)
	return slices.Contains(stageTags, strings.ToLower(name)) && saysProduction(stage)
}

func saysProduction(word string) bool {
	return slices.Contains(productionWords, strings.ToLower(word))
}
