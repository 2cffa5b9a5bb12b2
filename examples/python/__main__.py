import pulumi
import pulumi_knockgate as knockgate

config = pulumi.Config()

edge = knockgate.KnockGate(
    "edge",
    connection=knockgate.ConnectionArgs(
        host=config.require("host"),
        user=config.get("user") or "root",
        host_key=config.require("hostKey"),
        private_key=config.require_secret("privateKey"),
    ),
    policy=knockgate.PolicyArgs(
        name="edge",
        users=[knockgate.UserArgs(name="ada", key=config.require_secret("adaKey"))],
        gates=[
            knockgate.GateArgs(
                name="ssh",
                protect=[knockgate.ProtectArgs(tcp="22")],
                knock=knockgate.KnockArgs(token=knockgate.TokenArgs(udp=62201)),
                open_for_seconds=30,
            )
        ],
    ),
)

pulumi.export("digest", edge.digest)
pulumi.export("knock", edge.knock)
