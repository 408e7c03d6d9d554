import { AgentPage } from "./pages/agent";
import { AgentsPage } from "./pages/agents";
import { NewAgentPage } from "./pages/new-agent";
import { NewTargetPage } from "./pages/new-target";
import { RecordingPage } from "./pages/recording";
import { RecordingsPage } from "./pages/recordings";
import { SessionPage } from "./pages/session";
import { SignInPage } from "./pages/sign-in";
import { TargetPage } from "./pages/target";
import { TargetsPage } from "./pages/targets";
import { Layout } from "./parts/layout";
import { identity } from "./state/identity";
import { useValue } from "./state/observable";
import { route, type Route } from "./state/route";

export function App() {
  const who = useValue(identity);
  const here = useValue(route);
  if (who.state !== "in") return <SignInPage identity={who} />;
  return (
    <Layout principal={who.principal} wide={here.page === "session" || here.page === "recording"}>
      <Page route={here} />
    </Layout>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "agents":
      return <AgentsPage />;
    case "new":
      return <NewAgentPage />;
    case "agent":
      return <AgentPage key={route.name} name={route.name} asking={false} />;
    case "terminal":
      return <AgentPage key={route.agent} name={route.agent} asking={true} />;
    case "session":
      return <SessionPage key={route.name} name={route.name} />;
    case "recordings":
      return <RecordingsPage />;
    case "recording":
      return <RecordingPage key={route.name} name={route.name} />;
    case "targets":
      return <TargetsPage />;
    case "new-target":
      return <NewTargetPage />;
    case "target":
      return <TargetPage key={route.name} name={route.name} />;
  }
}
