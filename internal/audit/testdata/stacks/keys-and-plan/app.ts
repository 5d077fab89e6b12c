// Orders behind an API key, with a usage plan that limits nothing.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const app = new App();
const stack = new Stack(app, 'Orders');
const handler = new lambda.Function(stack, 'Handler', {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: lambda.Code.fromInline('exports.handler = async () => ({ statusCode: 200 });'),
});
const api = new apigateway.RestApi(stack, 'API');
const orders = api.root.addResource('orders');
for (const method of ['GET', 'POST']) {
  orders.addMethod(method, new apigateway.LambdaIntegration(handler), { apiKeyRequired: true });
}
const plan = api.addUsagePlan('Plan', { apiStages: [{ stage: api.deploymentStage }] });
plan.addApiKey(api.addApiKey('Key'));
app.synth();
