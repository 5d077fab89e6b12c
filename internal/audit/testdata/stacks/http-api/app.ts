// An HTTP API with tokens on one route and nothing on the other.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as cognito from 'aws-cdk-lib/aws-cognito';

const app = new App();
const stack = new Stack(app, 'Books');
const users = new cognito.UserPool(stack, 'Users');
const website = users.addClient('Website', {
  oAuth: {
    flows: { authorizationCodeGrant: true },
    scopes: [cognito.OAuthScope.OPENID],
    callbackUrls: ['http://books.example.com/callback'],
  },
});
const api = new apigateway.HttpApi(stack, 'API', {
  corsPreflight: { allowOrigins: ['*'], allowMethods: [apigateway.CorsHttpMethod.ANY] },
});
const integration = new HttpUrlIntegration('Backend', 'https://backend.example.com/books');
const authorizer = new HttpUserPoolAuthorizer('Authorizer', users, { userPoolClients: [website] });
api.addRoutes({ path: '/books', methods: [apigateway.HttpMethod.GET], integration, authorizer });
api.addRoutes({ path: '/books', methods: [apigateway.HttpMethod.POST], integration });
app.synth();
