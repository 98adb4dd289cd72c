// POST /auth/mfa/setup in Node: the same response, item, log line and metrics as functions/setup_mfa.
import { createHmac, hkdfSync, randomBytes, randomInt } from "node:crypto";

import { AlgorithmSuiteIdentifier, CommitmentPolicy, KmsKeyringNode, buildEncrypt } from "@aws-crypto/client-node";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { KMS } from "@aws-sdk/client-kms";
import { Secret, TOTP } from "otpauth";
import QRCode from "qrcode";

const environment = process.env.ENVIRONMENT;
const issuer = process.env.MFA_ISSUER ?? "AILifestyle";
const logger = new Logger({ serviceName: "mfa", persistentKeys: { environment } });
const metrics = new Metrics({ namespace: "AILifestyle/MFA", serviceName: "mfa", defaultDimensions: { environment } });

const table = new DynamoDBClient({ maxAttempts: 2 });
const kms = new KMS({ maxAttempts: 2 });
const keyring = new KmsKeyringNode({ generatorKeyId: process.env.MFA_ENCRYPTION_KEY, clientProvider: () => kms });
const { encrypt } = buildEncrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

const HEADERS = { "Cache-Control": "no-store", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" };
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const isoSeconds = (milliseconds) => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
const hmac = (key, message) => createHmac("sha256", key).update(message).digest();

export const handler = async (event) => {
  const started = performance.now();
  const fields = { request_id: event.requestContext.requestId, route: "POST /auth/mfa/setup" };
  const identity = event.requestContext.authorizer;
  metrics.addMetric("MFASetupAttempts", MetricUnit.Count, 1);
  const { status, body, metric, outcome } = await respond(identity, fields.request_id);
  metrics.addMetric(metric, MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
  const duration_ms = Math.round((performance.now() - started) * 10) / 10;
  logger.info("request answered", { ...fields, user_id: identity.user_id, status, outcome, duration_ms });
  return { statusCode: status, headers: HEADERS, body: JSON.stringify(body), isBase64Encoded: false };
};

async function respond(identity, requestId) {
  try {
    return { status: 200, body: await enrol(identity), metric: "SuccessfulMFASetups", outcome: "OK" };
  } catch (error) {
    const refused = error instanceof ConditionalCheckFailedException;
    const [status, code, message] = refused
      ? [409, "MFA_ALREADY_ENABLED", "MFA is already enabled for this account"]
      : [500, "INTERNAL_ERROR", "An unexpected error occurred"];
    if (!refused) logger.error("unexpected error", { type: error.name });
    const body = { error: code, message, request_id: requestId, timestamp: isoSeconds(Date.now()) };
    return { status, body, metric: refused ? "MFAAlreadyEnabledErrors" : "MFASetupSystemErrors", outcome: code };
  }
}

async function enrol({ user_id, label }) {
  const secret = new Secret({ size: 20 });
  const uri = new TOTP({ issuer, label, secret }).toString();
  const qrCode = await QRCode.toDataURL(uri, { errorCorrectionLevel: "M", margin: 4, scale: 8 });
  const salt = randomBytes(16);
  const keys = Buffer.from(hkdfSync("sha256", Buffer.from(secret.bytes), salt, "mfa-backup-codes-v1", 64));
  const { result } = await encrypt(keyring, secret.base32, {
    encryptionContext: { user_id, purpose: "mfa-totp" },
    suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    frameLength: 4096,
  });
  const now = Date.now();
  await table.send(
    new PutItemCommand({
      TableName: process.env.USERS_TABLE_NAME,
      Item: {
        pk: { S: `USER#${user_id}` },
        sk: { S: "MFA#SECRET" },
        entity_type: { S: "MFA_SECRET" },
        status: { S: "PENDING" },
        encrypted_secret: { S: result.toString("base64") },
        iv: { S: result.subarray(-12 - 16 - 32 - 4).subarray(0, 12).toString("base64") },
        backup_codes: { L: backupCodes(keys.subarray(0, 32)).map((code) => ({ S: hmac(keys.subarray(32), code).toString("hex") })) },
        backup_codes_used: { L: [] },
        backup_codes_salt: { S: salt.toString("base64") },
        created_at: { S: isoSeconds(now) },
        updated_at: { S: isoSeconds(now) },
        expires_at: { N: String(Math.floor(now / 1000) + 600) },
        version: { N: String(randomInt(2 ** 47)) },
      },
      ConditionExpression: "attribute_not_exists(#pk) OR #status = :pending",
      ExpressionAttributeNames: { "#pk": "pk", "#status": "status" },
      ExpressionAttributeValues: { ":pending": { S: "PENDING" } },
    }),
  );
  return { secret: secret.base32, qrCode };
}

function backupCodes(key) {
  const codes = new Set();
  for (let index = 0; codes.size < 8; index += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(index);
    let number = hmac(key, counter).readBigUInt64BE();
    const digits = String(number % 10000n).padStart(4, "0");
    number /= 10000n;
    let letters = "";
    for (let place = 0; place < 4; place += 1) {
      letters += LETTERS[Number(number % 26n)];
      number /= 26n;
    }
    codes.add(`${letters}-${digits}`);
  }
  return [...codes];
}
