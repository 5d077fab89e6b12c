package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var (
	errNotFound = errors.New("no such note")
	errStale    = errors.New("the note has another revision")
)

// timeFormat sorts as text and is RFC 3339.
const timeFormat = "2006-01-02T15:04:05.000Z"

// note is one note, as callers see it.
type note struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Text      string `json:"text"`
	CreatedAt string `json:"createdAt"`
	UpdatedAt string `json:"updatedAt"`

	// revision is random and new with each change. A counter would come back
	// with other contents after a restore from a backup.
	revision string
}

// store keeps notes in a table whose hash key is the owner and whose range key
// is the id. Whoever asks for another owner's note asks for another key.
type store struct {
	client *dynamodb.Client
	table  string
}

// Attribute names stand behind # in expressions: some are reserved words.
type (
	item  = map[string]types.AttributeValue
	names = map[string]string
)

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func key(owner, id string) item { return item{"owner": text(owner), "id": text(id)} }

func noteOf(i item) note {
	read := func(name string) string {
		value, _ := i[name].(*types.AttributeValueMemberS)
		if value == nil {
			return ""
		}
		return value.Value
	}
	return note{
		ID: read("id"), Title: read("title"), Text: read("text"),
		CreatedAt: read("createdAt"), UpdatedAt: read("updatedAt"), revision: read("revision"),
	}
}

// get reads a note as it is now.
func (s *store) get(ctx context.Context, owner, id string) (note, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: key(owner, id), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return note{}, err
	}
	if len(out.Item) == 0 {
		return note{}, errNotFound
	}
	return noteOf(out.Item), nil
}

// list returns up to limit notes that are older than the one before, newest
// first, and whether there are more. It starts behind a key and not with
// ExclusiveStartKey, so a page is the same whether that note still exists.
func (s *store) list(ctx context.Context, owner, before string, limit int) (notes []note, more bool, err error) {
	in := &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression:    aws.String("#owner = :owner"),
		ExpressionAttributeNames:  names{"#owner": "owner"},
		ExpressionAttributeValues: item{":owner": text(owner)},
	}
	if before != "" {
		in.KeyConditionExpression = aws.String("#owner = :owner AND #id < :before")
		in.ExpressionAttributeNames["#id"], in.ExpressionAttributeValues[":before"] = "id", text(before)
	}
	notes = []note{}
	for len(notes) <= limit {
		in.Limit = aws.Int32(int32(limit + 1 - len(notes))) //nolint:gosec // at most 101
		out, err := s.client.Query(ctx, in)
		if err != nil {
			return nil, false, err
		}
		for _, i := range out.Items {
			notes = append(notes, noteOf(i))
		}
		if len(out.LastEvaluatedKey) == 0 {
			break
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey // a response holds at most 1 MB
	}
	return notes[:min(len(notes), limit)], len(notes) > limit, nil
}

// create writes a new note. An attempt that the SDK repeats finds its own
// revision and is no failure.
func (s *store) create(ctx context.Context, owner, id string, d draft, now time.Time) (note, error) {
	stamp := now.UTC().Format(timeFormat)
	n := note{ID: id, Title: d.Title, Text: d.Text, CreatedAt: stamp, UpdatedAt: stamp, revision: rand.Text()}
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table,
		Item: item{
			"owner": text(owner), "id": text(n.ID), "title": text(n.Title), "text": text(n.Text),
			"createdAt": text(n.CreatedAt), "updatedAt": text(n.UpdatedAt), "revision": text(n.revision),
		},
		ConditionExpression:       aws.String("attribute_not_exists(#id) OR #revision = :revision"),
		ExpressionAttributeNames:  names{"#id": "id", "#revision": "revision"},
		ExpressionAttributeValues: item{":revision": text(n.revision)},
	})
	return n, err
}

// replace writes a note anew if it is there and has one of the revisions that
// are wanted. The new one is among them, for an attempt that the SDK repeats.
func (s *store) replace(ctx context.Context, owner, id string, d draft, wanted tags, now time.Time) (note, error) {
	revision := rand.Text()
	condition, values := condition(wanted, revision)
	values[":title"], values[":text"], values[":now"], values[":revision"] = text(d.Title), text(d.Text), text(now.UTC().Format(timeFormat)), text(revision)
	attributes := names{"#title": "title", "#text": "text", "#updatedAt": "updatedAt", "#revision": "revision"}
	if strings.Contains(condition, "#id") {
		attributes["#id"] = "id"
	}
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: key(owner, id), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:    aws.String("SET #title = :title, #text = :text, #updatedAt = :now, #revision = :revision"),
		ConditionExpression: &condition, ExpressionAttributeNames: attributes, ExpressionAttributeValues: values,
	})
	if err != nil {
		return note{}, s.missed(ctx, owner, id, err)
	}
	return noteOf(out.Attributes), nil
}

// remove deletes a note if it is there and has one of the revisions that are
// wanted.
func (s *store) remove(ctx context.Context, owner, id string, wanted tags) error {
	condition, values := condition(wanted)
	attributes := names{"#revision": "revision"}
	if strings.Contains(condition, "#id") {
		attributes, values = names{"#id": "id"}, nil
	}
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: key(owner, id),
		ConditionExpression: &condition, ExpressionAttributeNames: attributes, ExpressionAttributeValues: values,
	})
	if err != nil {
		return s.missed(ctx, owner, id, err)
	}
	return nil
}

// condition says which note may be changed: any that is there, or one with a
// revision that is wanted or is in more.
func condition(wanted tags, more ...string) (expression string, values item) {
	values = item{}
	if !wanted.given || wanted.any {
		return "attribute_exists(#id)", values
	}
	// No revision is empty: a list of weak tags alone matches nothing.
	var operands []string
	for n, revision := range slices.Concat(wanted.strong, more, []string{"-"}) {
		operand := ":r" + strconv.Itoa(n)
		values[operand] = text(revision)
		operands = append(operands, operand)
	}
	return "#revision IN (" + strings.Join(operands, ", ") + ")", values
}

// missed says why a conditional write did not happen.
func (s *store) missed(ctx context.Context, owner, id string, err error) error {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	if _, err := s.get(ctx, owner, id); err != nil {
		return err
	}
	return errStale
}

// isThrottled reports whether the table had no capacity left ("Error handling
// with DynamoDB").
func isThrottled(err error) bool {
	var failed interface{ ErrorCode() string }
	return errors.As(err, &failed) && slices.Contains([]string{
		"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException",
	}, failed.ErrorCode())
}
