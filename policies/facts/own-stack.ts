/** tailwart's own components and resources, by their type tokens. */

/** The edge. */
export const EDGE = "tailwart:mail:CaddyEdge";
/** The component whose args are a server's whole desired state, whichever line of Stalwart runs. */
export const MAIL_SETTINGS = "tailwart:mail:MailSettings";
/** The settings of a server of the 0.15 line, as flat keys. */
export const SETTINGS = "tailwart:mail:Settings";
/** The settings of a server of 0.16 and later, as rows of its registry. */
export const REGISTRY = "tailwart:mail:Registry";

/** Whether a resource is one of tailwart's, whose args say what they mean. */
export const isTailwart = ({ type }: { readonly type: string }): boolean => type.startsWith("tailwart:mail:");
