// Starts GraphiQL as the person who is signed in in this browser. A token can be given instead, as
// the header Authorization, in the editor's "Headers" tab.
const fetcher = GraphiQL.createFetcher({
  url: '/graphql',
  headers: { 'X-Requested-With': 'graphiql' },
  // Subscriptions. The cookie or the header signs in here too.
  subscriptionUrl: `${location.origin.replace(/^http/, 'ws')}/graphql/ws`,
});

const defaultQuery = `# The HOPE exchange's API. Sign in at /sign-in first, then run this.
{
  viewer { name organisation { name } }
  feed(first: 5) {
    nodes {
      title
      author { name organisation { name } }
      topics { name }
      thread { commentCount }
    }
  }
}
`;

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery, shouldPersistHeaders: false }),
);
