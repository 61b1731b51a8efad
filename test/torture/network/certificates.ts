import { generate } from 'selfsigned';

/** PEM. */
export interface Pems {
  readonly cert: string;
  readonly private: string;
}

export interface CertificateOptions {
  /** Who signs it; absent: itself. */
  readonly by?: Pems;
  readonly isAuthority?: boolean;
  readonly from?: Date;
  readonly to?: Date;
}

/** A certificate for a host name, or for 127.0.0.1 under that name. */
export async function certificate(name: string, options: CertificateOptions = {}): Promise<Pems> {
  const { by, isAuthority = false, from, to } = options;
  const altName = name === '127.0.0.1' ? { type: 7 as const, ip: name } : { type: 2 as const, value: name };
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(from && { notBeforeDate: from }),
    ...(to && { notAfterDate: to }),
    ...(by && { ca: { cert: by.cert, key: by.private } }),
    extensions: isAuthority
      ? [
          { name: 'basicConstraints', cA: true },
          { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
        ]
      : [
          { name: 'basicConstraints', cA: false },
          { name: 'subjectAltName', altNames: [altName] },
        ],
  });
}
