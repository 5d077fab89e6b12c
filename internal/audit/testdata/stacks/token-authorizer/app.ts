// A Lambda authorizer as the CDK declares it, and pages that may call from anywhere.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const app = new App();
const stack = new Stack(app, 'Pets');
const code = lambda.Code.fromInline('exports.handler = async () => ({ statusCode: 200 });');
const runtime = lambda.Runtime.NODEJS_22_X;
const check = new lambda.Function(stack, 'Check', { runtime, handler: 'index.handler', code });
const list = new lambda.Function(stack, 'List', { runtime, handler: 'index.handler', code });
list.addPermission('Anyone', { principal: new iam.ServicePrincipal('apigateway.amazonaws.com') });
const api = new apigateway.RestApi(stack, 'API', {
  defaultCorsPreflightOptions: { allowOrigins: apigateway.Cors.ALL_ORIGINS },
  deployOptions: { dataTraceEnabled: true, loggingLevel: apigateway.MethodLoggingLevel.INFO },
});
const authorizer = new apigateway.TokenAuthorizer(stack, 'Authorizer', { handler: check });
api.root.addResource('pets').addMethod('GET', new apigateway.LambdaIntegration(list), { authorizer });
app.synth();
