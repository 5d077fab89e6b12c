package assembly

// LoggingStage is an AWS::ApiGateway::Stage that writes logs. It cannot be
// deployed where API Gateway has no logging role ("Set up CloudWatch logging
// for REST APIs in API Gateway").
type LoggingStage struct {
	Place
	Region  string // empty where the app leaves it open
	Account string // empty where the app leaves it open
}

// LoggingStages returns the API stages of one stage of the assembly that write
// an access log or an execution log. It needs no model, so it also answers for
// a template that [Assembly.Model] does not understand; what it cannot read
// counts as a log. It fails with an [InputError] where there is no such stage.
func (a *Assembly) LoggingStages(stage string) ([]LoggingStage, error) {
	u, err := a.choose(stage)
	if err != nil {
		return nil, err
	}
	var found []LoggingStage
	for _, s := range u.stacks {
		for _, id := range s.ofType(typeAPIStage) {
			if !logs(s.template.Resources[id].Properties) {
				continue
			}
			l := LoggingStage{Place: s.place(id), Region: s.region, Account: s.account}
			if l.Account == unknownAccount {
				l.Account = ""
			}
			if s.regionOpen {
				l.Region = ""
			}
			found = append(found, l)
		}
	}
	return found, nil
}

func logs(properties map[string]any) bool {
	if _, access := properties["AccessLogSetting"]; access {
		return true
	}
	settings, ok := properties["MethodSettings"].([]any)
	if !ok {
		return properties["MethodSettings"] != nil
	}
	for _, setting := range settings {
		values, ok := setting.(map[string]any)
		if !ok {
			return true
		}
		if level, set := values["LoggingLevel"]; set && level != "OFF" {
			return true
		}
	}
	return false
}
