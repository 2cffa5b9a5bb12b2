const pulumi = require("@pulumi/pulumi");
const knockgate = require("knockgate");

require("./shared.cjs")(knockgate, pulumi, (name) => import(name));
