// One function behind every path, as the shortest examples have it.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const app = new App();
const stack = new Stack(app, 'Hello');
const handler = new lambda.Function(stack, 'Handler', {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: lambda.Code.fromInline('exports.handler = async () => ({ statusCode: 200 });'),
  environment: { STRIPE_SECRET_KEY: 'not-a-real-key-0123456789abcdef' },
});
new apigateway.LambdaRestApi(stack, 'API', { handler });
app.synth();
