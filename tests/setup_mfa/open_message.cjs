// Opens an Encryption SDK message with AWS's JavaScript implementation.
// In: JSON with `key` and `message` in base64. Out: JSON with `plaintext`, `context` and `suite`.
const { buildDecrypt } = require('@aws-crypto/decrypt-node')
const { CommitmentPolicy } = require('@aws-crypto/material-management-node')
const { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } = require('@aws-crypto/raw-aes-keyring-node')

const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const { decrypt } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1
})
const keyring = new RawAesKeyringNode({
  keyNamespace: 'mfa-development',
  keyName: 'raw',
  unencryptedMasterKey: Uint8Array.from(Buffer.from(input.key, 'base64')),
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING
})

decrypt(keyring, Buffer.from(input.message, 'base64')).then(({ plaintext, messageHeader }) => {
  console.log(
    JSON.stringify({
      plaintext: plaintext.toString('utf8'),
      context: messageHeader.encryptionContext,
      suite: messageHeader.suiteId
    })
  )
})
