// Package customers keeps an API's customers and their static keys in a DynamoDB
// table: one item for each customer, one read to decide about a key, one
// conditional write for each change.
//
//	format := authn.KeyFormat{Prefix: "gw", Tag: "dev"} // the construct's
//	store := customers.NewStore(client, table)
//	acme, err := store.Create(ctx, customers.NewCustomer{Name: "Acme", Plan: "pro", Scopes: []string{"orders/read"}})
//	...
//	issued, err := store.CreateKey(ctx, acme.ID, format, customers.NewKeyRequest{Label: "till"})
//	...
//	fmt.Println(issued.Text()) // once: nobody keeps it
//	issued, err = store.RotateKey(ctx, acme.ID, issued.Key.ID, format, 7*24*time.Hour) // both are good for a week
//	...
//	_, err = store.RevokeKey(ctx, acme.ID, issued.Key.ID)
//	_, err = store.Change(ctx, acme.ID, customers.Change{Status: new(authn.StatusSuspended)})
//	for cursor := ""; ; {
//		page, err := store.List(ctx, cursor, customers.MaxPage)
//		...
//		if cursor = page.Next; cursor == "" {
//			break
//		}
//	}
//
// # The item
//
// The table's hash key is the text "id". An item has these attributes and no
// others, and one that has others, or lacks one, is refused:
//
//	id         S  the customer's, 12 letters and digits
//	schema     N  form of the item: 1
//	version    N  how often it was written, from 1
//	revisions  S  random texts of the last writes, newest first
//	record     S  JSON: profile, plan, status, scopes and keys
//
// Of a key it holds the SHA-256 digest, never the key. Whoever reads the table
// cannot call the API with what stands there.
//
// A field that is added to the record needs another schema number: a version of
// Gatewright that does not know the field refuses the item, and does not write it
// back without the field.
//
// # How a change is written
//
// A change reads the item, is applied in memory, and is written with one PutItem
// on the condition that the item is still the one that was read. So nothing is
// ever written in half, and no change undoes another. Where the condition fails
// the change is applied again to what is there now, a bounded number of times.
// Each write carries a random revision, and the item remembers the last ones: a
// writer that got no answer finds its own there, and does not write twice. Where
// it cannot find out either, it fails with [ErrUnknown] and says how to finish.
package customers
