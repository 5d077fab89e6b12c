// Administration behind an authorizer, beside a proxy that has none.
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const app = new App();
const stack = new Stack(app, 'Site');
const check = new lambda.Function(stack, 'Check', {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: lambda.Code.fromInline('exports.handler = async () => ({ isAuthorized: false });'),
});
const api = new apigateway.RestApi(stack, 'API');
const backend = new apigateway.HttpIntegration('https://backend.example.com', { proxy: true });
const authorizer = new apigateway.RequestAuthorizer(stack, 'Authorizer', {
  handler: check,
  identitySources: [apigateway.IdentitySource.header('Authorization')],
  resultsCacheTtl: Duration.seconds(0),
});
api.root.addResource('{proxy+}').addMethod('ANY', backend);
api.root.addResource('admin').addResource('{proxy+}').addMethod('GET', backend, { authorizer });
app.synth();
