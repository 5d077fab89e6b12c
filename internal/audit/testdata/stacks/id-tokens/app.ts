// A user pool with the CDK's default client, and methods that take ID tokens.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as cognito from 'aws-cdk-lib/aws-cognito';

const app = new App();
const stack = new Stack(app, 'Profile');
const users = new cognito.UserPool(stack, 'Users', { selfSignUpEnabled: true });
users.addClient('Client');
const api = new apigateway.RestApi(stack, 'API', {
  defaultMethodOptions: {
    authorizer: new apigateway.CognitoUserPoolsAuthorizer(stack, 'Authorizer', { cognitoUserPools: [users] }),
    authorizationType: apigateway.AuthorizationType.COGNITO,
  },
});
api.root.addResource('me').addMethod('GET', new apigateway.HttpIntegration('https://backend.example.com/me'));
app.synth();
