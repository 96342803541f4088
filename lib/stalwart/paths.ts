// Where things are in Stalwart's container. No import: the settings plugin starts with this, and
// starts fast.

/** Stalwart's own folder, as in the official image. */
export const STALWART_DIRECTORY = "/etc/stalwart";

/** Folder of the files that only Stalwart's own user reads. */
export const SECRET_DIRECTORY = `${STALWART_DIRECTORY}/secrets/`;

/** What the API is logged in with: one line, `admin:password`. */
export const API_LOGIN = `${SECRET_DIRECTORY}api`;
