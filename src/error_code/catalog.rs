//! All codes. One that is no longer used stays reserved: its number is not given to another message.

use super::ErrorCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $($(#[$doc])* pub const $name: ErrorCode = ErrorCode($number);)*

        /// All codes, in the order of their numbers.
        pub const ALL: &[ErrorCode] = &[$($name),*];
    };
}

codes! {
    /// Function App settings can't be used.
    SETTINGS = 1000;
    /// A required setting is missing.
    SETTING_MISSING = 1001;
    /// A setting has a value that can't be used.
    SETTING_INVALID = 1002;
    /// A Key Vault reference was not resolved.
    SECRET_UNRESOLVED = 1003;
    /// A setting is not known.
    SETTING_UNKNOWN = 1004;
    /// A setting of the destination can't be used.
    DESTINATION_SETTING = 1005;
    /// The settings of the identity can't be used.
    IDENTITY_SETTING = 1006;
    /// The storage connection string can't be used.
    CONNECTION_STRING = 1007;
    /// Storage address and container do not make an address.
    STATE_CONTAINER = 1008;
    /// host.json can't be used.
    HOST_JSON = 1009;
    /// A setting has a value that an earlier release knew.
    SETTING_REPLACED = 1011;
    /// Proofpoint refuses the request (400).
    REFUSED_BAD_REQUEST = 2001;
    /// Proofpoint refuses the token (401).
    REFUSED_TOKEN = 2002;
    /// The session is forbidden (403).
    REFUSED_FORBIDDEN = 2003;
    /// There is no Log API at that address (404, 405).
    REFUSED_ADDRESS = 2004;
    /// The token is in use (409).
    REFUSED_BUSY = 2005;
    /// Proofpoint asks for fewer requests (429).
    REFUSED_TOO_MANY = 2006;
    /// Proofpoint has a fault (5xx, 408).
    REFUSED_UNAVAILABLE = 2007;
    /// The answer is not one of the Log API.
    REFUSED_UNKNOWN = 2008;
    /// The Log API can't be reached.
    LOG_API_UNREACHABLE = 2009;
    /// No TLS connection with the Log API.
    LOG_API_TLS = 2010;
    /// The token holds a character that can't be sent.
    TOKEN_NOT_SENDABLE = 2011;
    /// Live sessions end as soon as they begin.
    LIVE_SESSIONS_END = 2012;
    /// The live stream was not read for over an hour.
    LIVE_GAP = 2013;
    /// An hour can't be read within one run.
    HOUR_TOO_LONG = 2014;
    /// An hour can't be read to its end.
    HOUR_FAILS = 2015;
    /// Hours are lost.
    HOURS_LOST = 2016;
    /// The account allows one session at a time.
    ONE_SESSION = 2017;
    /// The TAP API refuses the request (400).
    TAP_BAD_REQUEST = 2101;
    /// The TAP API says that the window has not ended (400).
    TAP_STILL_CURRENT = 2102;
    /// The TAP API says that the window is too far back (400).
    TAP_TOO_OLD = 2103;
    /// The TAP API says that the window is too short (400).
    TAP_TOO_SHORT = 2104;
    /// The TAP API refuses the credential (401).
    TAP_CREDENTIAL = 2105;
    /// The TAP API is not enabled for the account (403).
    TAP_FORBIDDEN = 2106;
    /// There is no TAP API at that address.
    TAP_ADDRESS = 2107;
    /// The TAP API has had too many calls (429).
    TAP_TOO_MANY = 2108;
    /// The TAP API has a fault (5xx, 408).
    TAP_UNAVAILABLE = 2109;
    /// The TAP API can't be reached.
    TAP_UNREACHABLE = 2110;
    /// The TAP API does not answer in time.
    TAP_TIMED_OUT = 2111;
    /// An answer of the TAP API is cut.
    TAP_ANSWER_CUT = 2112;
    /// An answer of the TAP API is not the JSON that is expected.
    TAP_ANSWER_UNREADABLE = 2113;
    /// The principal or secret holds a character that can't be sent.
    TAP_CREDENTIAL_NOT_SENDABLE = 2114;
    /// Hours of TAP records are lost.
    TAP_HOURS_LOST = 2115;
    /// The calls of 24 hours are spent.
    TAP_BUDGET_SPENT = 2116;
    /// An answer of the TAP API has arrays that are not known.
    TAP_UNKNOWN_ARRAYS = 2117;
    /// The proxy can't be reached.
    PROXY_UNREACHABLE = 3001;
    /// The proxy wants a user and a password (407).
    PROXY_CREDENTIALS = 3002;
    /// The proxy refuses the connection.
    PROXY_REFUSED = 3003;
    /// What answers is not an HTTP proxy.
    NOT_A_PROXY = 3004;
    /// SSL_CERT_FILE can't be used.
    EXTRA_ROOTS = 3005;
    /// There is no token for the workspace.
    NO_TOKEN = 4001;
    /// The workspace does not accept the token (401).
    TOKEN_NOT_ACCEPTED = 4002;
    /// The identity may not post to the data collection rule (403).
    ROLE_MISSING = 4003;
    /// There is no such rule or stream (404).
    RULE_NOT_FOUND = 4004;
    /// The workspace does not accept the signature (401, 403).
    SIGNATURE_NOT_ACCEPTED = 4005;
    /// There is no such workspace (404).
    WORKSPACE_NOT_FOUND = 4006;
    /// The workspace refuses every post (400).
    POST_NOT_ACCEPTED = 4007;
    /// The workspace refuses every row of a batch.
    EVERY_ROW_REFUSED = 4008;
    /// The answer is not one of the workspace.
    UNEXPECTED_ANSWER = 4009;
    /// The workspace did not take the rows.
    WORKSPACE_UNAVAILABLE = 4010;
    /// The run's time was up before the workspace accepted the rows.
    POSTING_OUT_OF_TIME = 4011;
    /// The lease was lost before the rows were posted.
    POSTING_REVOKED = 4012;
    /// The Data Collector API is retired.
    DATA_COLLECTOR_RETIRED = 4013;
    /// The Data Collector API is used though it is retired.
    DATA_COLLECTOR_IN_USE = 4014;
    /// The connector's own table takes no rows.
    CONNECTOR_TABLE = 4015;
    /// An event is not a JSON object.
    EVENT_MALFORMED = 4101;
    /// An event is too long for a row.
    EVENT_OVERSIZE = 4102;
    /// The workspace refuses a row.
    ROW_REFUSED = 4103;
    /// Another run has the feed.
    LEASE_HELD = 5001;
    /// Another run wrote the object.
    STATE_CONFLICT = 5002;
    /// A checkpoint can't be used.
    CHECKPOINT_DAMAGED = 5003;
    /// A checkpoint was not written.
    CHECKPOINT_NOT_WRITTEN = 5004;
    /// A part of the ledger can't be used.
    LEDGER_DAMAGED = 5005;
    /// A dead letter can't be used.
    DEAD_LETTER_DAMAGED = 5006;
    /// A stored object is too large.
    OBJECT_TOO_LARGE = 5007;
    /// The feed's status was not written.
    STATUS_NOT_WRITTEN = 5008;
    /// Something among the dead letters is not one.
    STRANGER_AMONG_DEAD_LETTERS = 5009;
    /// There is no token for the storage account.
    STORAGE_NO_TOKEN = 5101;
    /// The storage account refuses access.
    STORAGE_DENIED = 5102;
    /// The container is not there.
    CONTAINER_NOT_FOUND = 5103;
    /// The storage account can't be reached.
    STORAGE_UNREACHABLE = 5104;
    /// The storage account has a fault.
    STORAGE_FAULT = 5105;
    /// The state directory can't be used.
    STATE_DIRECTORY = 5201;
    /// The lease was not renewed.
    LEASE_NOT_RENEWED = 5301;
    /// The lease could not be renewed in time.
    LEASE_EXPIRED = 5302;
    /// The lease was taken away.
    LEASE_TAKEN = 5303;
    /// The feed's lease was lost.
    LEASE_LOST = 6001;
    /// The clock of this machine is behind.
    CLOCK_BEHIND = 6002;
    /// A run had a clock that was ahead.
    CLOCK_WAS_AHEAD = 6003;
    /// The run's time was up while the storage did not answer.
    STORAGE_OUT_OF_TIME = 6004;
    /// The program was told to stop.
    STOPPED = 6005;
    /// There is no such function.
    UNKNOWN_FUNCTION = 7001;
    /// The body of the invocation can't be read.
    BODY_UNREADABLE = 7002;
    /// The body is not an invocation of the function.
    BAD_ENVELOPE = 7003;
    /// The program can't listen for the host.
    SERVER_FAILED = 7004;
    /// SIGTERM can't be caught.
    SIGTERM_NOT_CAUGHT = 7005;
    /// Traces and metrics are not sent.
    TELEMETRY_NOT_SENT = 7006;
    /// These hours can't be read.
    HOURS_INVALID = 8001;
    /// Which cluster is not clear.
    CLUSTER_UNKNOWN = 8002;
    /// The file can't be written.
    OUTPUT_FILE = 8003;
    /// The last hour may lack events.
    ARCHIVE_FILLING = 8004;
    /// The dead letters can't be chosen that way.
    DEAD_LETTER_CHOICE = 8005;
    /// A fault in the program.
    PROGRAM_FAULT = 9001;
}
