package assembly_test

import (
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestLoggingStages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, properties string
		want             bool
	}{
		{"nothing", `{}`, false},
		{"throttle only", `{"MethodSettings": [{"HttpMethod": "*", "ThrottlingRateLimit": 100}]}`, false},
		{"execution log off", `{"MethodSettings": [{"LoggingLevel": "OFF"}]}`, false},
		{"execution log of one method", `{"MethodSettings": [{"LoggingLevel": "OFF"}, {"LoggingLevel": "ERROR"}]}`, true},
		{"access log", `{"AccessLogSetting": {"DestinationArn": "arn"}}`, true},
		{"an intrinsic function", `{"MethodSettings": {"Fn::If": ["A", [], []]}}`, true},
		{"a setting by an intrinsic function", `{"MethodSettings": [{"LoggingLevel": {"Ref": "Level"}}]}`, true},
		{"no setting", `{"MethodSettings": ["x"]}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, [2]string{"S", `{"Resources": {"Live": {"Type": "AWS::ApiGateway::Stage", "Properties": ` + tt.properties + `}}}`})
			a, err := assembly.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			stages, err := a.LoggingStages("")
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want && len(stages) == 0 {
				return
			}
			want := assembly.LoggingStage{Place: assembly.Place{Stack: "S", LogicalID: "Live", Path: "S/Live"}, Region: "eu-west-1", Account: "111122223333"}
			if !tt.want || len(stages) != 1 || stages[0] != want {
				t.Errorf("got %+v, want one: %v", stages, tt.want)
			}
		})
	}
	a, err := assembly.Load(write(t, [2]string{"S", `{"Resources": {}}`}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.LoggingStages("T"); err == nil {
		t.Error("an unknown stage logs nothing")
	}
}
